"""Appeals: the owner of a restricted thing contests it, or whoever holds its public address; or
whoever reported a picture contests that it stays. Somebody who did not decide hears it.
"""

from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from config.core import events
from config.core.errors import ProofsheetError
from config.core.ownership import ACTING, memberships, within
from config.core.projects.calling import acting_in
from moderation.decisions import enforcing
from moderation.models import Appeal, Decision, PublicAddress, Report
from moderation.models.appeals import GROUNDS_MAX
from moderation.policy.rulebook import characters
from moderation.statements import issuing
from moderation.subjects.actions import RESTRICTIONS
from provenance.log import transparency_log

HEARING = timedelta(days=14)  # an appeal is to be heard within this time


class WindowClosed(ProofsheetError):
    """The six months in which the decision could be contested are over."""

    default_code = "appeal_window_closed"
    default_message = "The six months for an appeal against this decision are over."
    default_advice = "An out-of-court dispute settlement body or a court can still hear you."
    default_status = 409


class NotAppealable(ProofsheetError):
    """The decision restricts nothing, is somebody else's, or was reversed already."""

    default_code = "not_appealable"
    default_message = "There is nothing to appeal against in this decision."
    default_advice = "Open the statement of reasons that you want to contest."
    default_status = 409


class AlreadyAppealed(ProofsheetError):
    """The decision has its appeal."""

    default_code = "already_appealed"
    default_message = "You have already appealed against this decision."
    default_advice = "Its statement shows how far the appeal is."
    default_status = 409


class NoWords(ProofsheetError):
    """Grounds or reasons are empty or too long."""

    default_code = "words_missing"
    default_message = f"Say it in 1 to {GROUNDS_MAX} characters."
    default_advice = "A sentence is enough."
    default_status = 422


class SameDecider(ProofsheetError):
    """Who decided, or who appeals, may not hear the appeal."""

    default_code = "same_decider"
    default_message = "You decided this case or own it, so you may not hear its appeal."
    default_advice = "Leave it to another senior moderator."
    default_status = 403


class NotASenior(ProofsheetError):
    """Reviewers without the senior role may not read or hear an appeal."""

    default_code = "not_a_senior"
    default_message = "Appeals are heard by a senior moderator who did not decide the case."
    default_advice = "Nothing is left for you to do here; go on with the review queue."
    default_status = 403


class NotWithdrawable(ProofsheetError):
    """Only the appellant may withdraw, and only before somebody hears the appeal."""

    default_code = "not_withdrawable"
    default_message = "This appeal cannot be withdrawn any more."
    default_advice = "Its page shows how it ended."
    default_status = 409


class AppealNotFound(ProofsheetError):
    """There is no such appeal, or this person may not see it."""

    default_code = "appeal_not_found"
    default_message = "There is no such appeal among those you may see."
    default_advice = "Check the address, and that you are signed in with the right account."
    default_status = 404


@transaction.atomic
def lodge(
    decision: Decision,
    *,
    by: User | None = None,
    holds: PublicAddress | None = None,
    email: str = "",
    grounds: str,
    at: datetime,
) -> Appeal:
    """Lodge the one appeal that a restriction can have: by its owner, or by whoever `holds` its
    public address, who need say nothing and may leave an e-mail address for the outcome.

    Raises NotAppealable, WindowClosed, AlreadyAppealed, NoWords.
    """
    row = Decision.objects.select_for_update(of=("self",)).get(id=decision.id)
    may = holds.decided == row if holds else by is not None and _concerns(row, by)
    if not may or row.action not in RESTRICTIONS or hasattr(row, "reversed_by"):
        raise NotAppealable
    words = _words(grounds, least=0 if holds else 1)
    appeal = _lodged(row, Appeal(appellant=by, address=holds, email=email, grounds=words), at=at)
    if holds is not None:
        events.mail("moderation.tasks.mail_appeal_received", str(appeal.id))
    return appeal


@transaction.atomic
def lodge_for_report(report: Report, *, grounds: str, at: datetime) -> Appeal:
    """Contest that a picture stays although it was reported; whoever holds the receipt may.

    Raises NotAppealable, WindowClosed, AlreadyAppealed, NoWords.
    """
    found = Decision.objects.select_for_update(of=("self",)).filter(case=report.case_id).first()
    if found is None or found.action != Decision.Action.ALLOW:
        raise NotAppealable(advice="Your receipt shows what was decided.")
    lodged = Appeal(appellant=report.notifier, report=report, grounds=_words(grounds))
    try:
        return _lodged(found, lodged, at=at)
    except AlreadyAppealed as error:
        raise AlreadyAppealed(
            message="You or somebody else who reported the picture has appealed already.",
            advice="Your receipt shows how far the appeal is.",
        ) from error


def _concerns(decision: Decision, by: User) -> bool:
    """Whether `by` may contest it: its owner, or who may act in its project."""
    mine = Q(pk=decision.pk) & within("project", by, roles=ACTING)
    return Decision.objects.filter(mine).exists()


def _lodged(row: Decision, appeal: Appeal, *, at: datetime) -> Appeal:
    """Writes the appeal against a decision whose lock is held."""
    if Appeal.objects.filter(decision=row).exists():
        raise AlreadyAppealed
    if at > issuing.deadline(row):
        raise WindowClosed
    appeal.decision, appeal.decider_id = row, row.decided_by_id
    appeal.project_id, appeal.end_user_id = row.project_id, row.end_user_id
    appeal.lodged_at, appeal.due_at = at, at + HEARING
    appeal.save(force_insert=True)
    _tell("received", appeal)
    return appeal


@transaction.atomic
def withdraw(
    appeal: Appeal, *, by: User | None = None, holds: PublicAddress | None = None, at: datetime
) -> Appeal:
    """Take an own appeal back for good, before anybody heard it: one's own, or of the decision
    whose public address one `holds`, if it was lodged by that. Raises NotWithdrawable."""
    row = Appeal.objects.select_for_update(of=("self",)).get(id=appeal.id)
    is_lodged_by = (
        holds is not None and row.address_id is not None and holds.decided == row.decision
    )
    is_own = by is not None and row.appellant_id == by.pk
    if not (is_own or is_lodged_by) or row.status != Appeal.Status.LODGED:
        raise NotWithdrawable
    row.withdraw(at=at)
    return row


@transaction.atomic
def hear(
    appeal: Appeal,
    *,
    by: User,
    outcome: Literal["upheld", "reversed"],
    reasons: str,
    at: datetime,
    category: str = "",
) -> Appeal:
    """Conclude an appeal with reasons; a reversal allows the subject at once, or where a notifier
    appealed, refuses it under `category`.

    Raises NotASenior, SameDecider, NoWords, allowed_actions.ReasonUnknown; WrongState when it was
    concluded before.
    """
    row, *following = _with_following(appeal)
    if not by.has_perm("moderation.hear_appeals"):
        raise NotASenior
    if not may_hear(row, by=by):
        raise SameDecider
    words = _words(reasons)
    _conclude(row, by=by, outcome=outcome, words=words, at=at)
    if outcome == "reversed":
        enforcing.reverse(row.decision, by=by, explanation=words, at=at, category=category)
        for one in following:
            _conclude(one, by=by, outcome=outcome, words=words, at=at)
    return row


def _with_following(appeal: Appeal) -> list[Appeal]:
    """The appeal's locked row, and after it those that wait against what followed from the same
    decision: a reversal decides them too. The decisions are locked first, as lodging locks them.
    """
    concerned = Q(id=appeal.decision_id) | Q(follows=appeal.decision_id)
    list(Decision.objects.select_for_update(of=("self",)).filter(concerned).order_by("id"))
    rows = Appeal.objects.select_for_update(of=("self",)).select_related("decision")
    first = rows.get(id=appeal.id)
    waiting = rows.filter(decision__follows=appeal.decision_id, status=Appeal.Status.LODGED)
    return [first, *waiting.order_by("id")]


def _conclude(
    row: Appeal, *, by: User, outcome: Literal["upheld", "reversed"], words: str, at: datetime
) -> None:
    row.take(by_id=by.pk)
    row.conclude(Appeal.Status(outcome), reasons=words, at=at)
    transparency_log.append(
        kind="moderation.appeal", subject=row.id, body={"outcome": outcome}, at=at
    )
    events.mail("moderation.tasks.mail_appeal", str(row.id))
    _tell("decided", row)


def _tell(what: str, appeal: Appeal) -> None:
    """The project's programs, of an appeal of its own people; one of somebody who reported a
    picture is theirs alone."""
    if appeal.report_id is None:
        decision = appeal.decision
        said = {
            "appeal_id": str(appeal.id),
            "state": str(appeal.status),
            "decision_id": str(decision.id),
            "subject": {"kind": decision.subject_kind, "id": str(decision.subject_id)},
        }
        events.tell(appeal.project_id, f"appeal.{what}", said, end_user_id=appeal.end_user_id)


def may_hear(appeal: Appeal, *, by: User) -> bool:
    """Whether `by` neither decided nor appeals, and owns nothing of it or of what followed."""
    return _uninvolved(Appeal.objects.filter(pk=appeal.pk), by).exists()


def _uninvolved(appeals: QuerySet[Appeal], by: User) -> QuerySet[Appeal]:
    involved = Q(appellant=by) | Q(decider=by) | Q(decision__decided_by=by) | Q(decision__owner=by)
    involved |= Q(decision__project__in=memberships(by))
    what_followed = Decision.objects.filter(follows=OuterRef("decision"), owner=by)
    return appeals.exclude(involved).exclude(Exists(what_followed))


def visible_to(by: User) -> QuerySet[Appeal]:
    """The user's own appeals, and for those who hear appeals all of them; newest first."""
    appeals = Appeal.objects.select_related(
        "decision", "decision__statement", "decision__decided_by", "appellant", "hearer", "report"
    )
    mine = Q(appellant=by) | _of_members(by)
    shown = appeals if by.has_perm("moderation.hear_appeals") else appeals.filter(mine)
    return shown.order_by("-lodged_at", "id")


def waiting_for(by: User, *, project: UUID | None = None) -> QuerySet[Appeal]:
    """Appeals that `by` may hear, oldest first; of one project, if any is named."""
    lodged = visible_to(by).filter(status=Appeal.Status.LODGED)
    if project is not None:
        lodged = lodged.filter(project=project)
    return _uninvolved(lodged, by).order_by("due_at", "id")


def due_today(waiting: QuerySet[Appeal], *, at: datetime) -> QuerySet[Appeal]:
    """Those whose time ends today or has ended, in UTC."""
    midnight = datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)
    return waiting.filter(due_at__lt=midnight)


def of_project(*, by: User, project: UUID | None = None) -> QuerySet[Appeal]:
    """The appeals of the project in which `by` acts, or of a named one, and those that `by` lodged
    over reports; newest first."""
    of_members = Q(pk__in=Appeal.objects.current_of(by, project).values("pk"), report=None)
    own = Q(appellant=by) if project is None and acting_in(by) is None else Q(pk=None)
    return visible_to(by).filter(of_members | own)


def lodged_by(by: User) -> QuerySet[Appeal]:
    """The appeals that are `by`'s own, or those of a project in which they are a member."""
    bound = acting_in(by)
    mine = Q(appellant=by) if bound is None else Q(pk=None)
    return visible_to(by).filter(mine | _of_members(by))


def _of_members(by: User) -> Q:
    """Those of the projects of `by`; what somebody says who reported a picture is not for whom it
    is about."""
    return within("project", by) & Q(report=None)


def find(appeal_id: UUID, *, by: User) -> Appeal:
    """An appeal that `by` may see; raises AppealNotFound for everybody else, reviewers too."""
    found = visible_to(by).filter(id=appeal_id).first()
    if found is None:
        raise AppealNotFound
    return found


def find_to_hear(appeal_id: UUID, *, by: User) -> Appeal:
    """An appeal whose evidence `by` may see in order to hear it.

    Raises AppealNotFound, SameDecider.
    """
    found = find(appeal_id, by=by)
    if not by.has_perm("moderation.hear_appeals"):
        raise AppealNotFound
    if not may_hear(found, by=by):
        raise SameDecider
    return found


def _words(text: str, *, least: int = 1) -> str:
    words = characters.typed(text)
    if not least <= len(words) <= GROUNDS_MAX:
        raise NoWords
    return words
