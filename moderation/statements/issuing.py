"""Statements of reasons: write one for each restriction, find it for its owner, say it plainly."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse

from config.core.errors import ProofsheetError
from moderation.cases import reported
from moderation.models import Appeal, Decision, Statement
from moderation.policy.rulebook import policy_document
from moderation.policy.rulebook.highlights import Piece, pieces
from moderation.statements.formats import eu_statement
from moderation.subjects.subject import Action

MEANS = {
    "prompt": "Word rules and a learned classifier read the prompt",
    "image": "A classifier looked at the picture after it was drawn",
    "upload": "A classifier looked at the picture that you uploaded",
    "adapter": "The file was checked by programs",
}
MEANS_OF_NOTICE = "Somebody reported it, and no program took part in finding it"
STAGES = {
    "prompt": "Before anything was drawn: the prompt",
    "image": "After it was drawn: the picture",
    "upload": "Before anything was drawn: the picture to start from",
    "adapter": "At the upload: the adapter",
}
NOUNS = {
    "prompt": "prompt",
    "image": "image",
    "upload": "picture to start from",
    "adapter": "adapter",
}
REFUSED = {
    "prompt": "The request: no picture was made from this prompt.",
    "image": "The picture: it is kept and not shown to you or anyone else.",
    "upload": "The request: no picture was made from the one that you uploaded.",
    "adapter": "The adapter: it cannot be used or published.",
}
RESTRICTED = {
    "blur": "The picture: it comes blurred until you choose to see it, and is always blurred on "
    "public pages.",
    "age_restrict": "The picture: it is shown only to people whose audience is adults and who said "
    "that they are of age.",
}
REDRESS = (
    "Within the European Union you can turn to a certified out-of-court dispute settlement body "
    "(Digital Services Act, Article 21), with or without an appeal here. The way to a court is "
    "open to you at any time."
)
WINDOW = timedelta(days=184)  # no six months of any calendar are longer


class StatementNotFound(ProofsheetError):
    """There is no such statement, or it belongs to somebody else."""

    default_code = "statement_not_found"
    default_message = "There is no such statement among yours."
    default_advice = "Check the address, and that you are signed in with the right account."
    default_status = 404


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement as its owner reads it. `is_open`: an appeal can still be lodged."""

    url: str
    kind: str
    heading: str
    restriction: str
    duration: str
    code: str
    title: str
    facts: str
    stage: str
    means: str
    rule: str
    ground: str
    explanation: str
    prompt: tuple[Piece, ...]
    categories: tuple[str, ...]
    policy_version: str
    is_automated: bool
    decided_at: datetime
    deadline: datetime
    is_open: bool
    is_reversed: bool
    appeal: Appeal | None


def write(decision: Decision, *, at: datetime) -> Statement:
    """Write the statement of a restriction in the decision's transaction."""
    category = category_of(decision)
    case = eu_statement.Case(
        kind=decision.subject_kind,
        category=category,
        facts=_facts(decision, category),
        is_detected_automatically=decision.seen.categories is not None,
        is_decided_automatically=decision.is_automated,
        content_date=_content_date(decision),
        application_date=at.date(),
        puid=str(decision.id),
        source=_source(decision),
        action=cast(Action, decision.action),
        account_ends_on=_suspended_until(decision),
        language=policy_document.load(decision.policy_version).language,
        policy_url=policy_url(decision.policy_version),
    )
    return Statement.objects.create(
        decision=decision,
        owner_id=decision.owner_id,
        project_id=decision.project_id,
        end_user_id=decision.end_user_id,
        fields=eu_statement.fields(case),
        created_at=at,
    )


def policy_url(version: str) -> str:
    """The public page of a policy version, in full."""
    return settings.PUBLIC_URL + reverse("moderation:policy", args=[version])


def of_project(*, by: User, project: UUID | None = None) -> QuerySet[Statement]:
    """The statements of the project in which `by` acts, or of a named one, newest first."""
    return _newest(Statement.objects.current_of(by, project))


def _newest(rows: QuerySet[Statement]) -> QuerySet[Statement]:
    related = ("decision", "decision__appeal", "decision__reversed_by")
    return rows.select_related(*related).order_by("-created_at", "id")


def contestable(*, by: User, at: datetime, project: UUID | None = None) -> QuerySet[Statement]:
    """Own statements that no appeal contests yet and whose window is open."""
    return of_project(by=by, project=project).filter(
        decision__appeal__isnull=True,
        decision__reversed_by__isnull=True,
        decision__decided_at__gte=at - WINDOW,
    )


def deadline(decision: Decision) -> datetime:
    """Until when an appeal may be lodged."""
    return decision.decided_at + WINDOW


def notice(statement: Statement, *, at: datetime) -> StatementView:
    """What the owner is told; the quoted words are marked unless a severe category is involved."""
    decision = statement.decision
    category = category_of(decision)
    appeal: Appeal | None = getattr(decision, "appeal", None)
    is_reversed = hasattr(decision, "reversed_by")
    until = deadline(decision)
    return StatementView(
        url=statement.get_absolute_url(),
        kind=decision.subject_kind,
        heading=heading(decision),
        restriction=_restriction(decision),
        duration=_duration(decision),
        code=decision.code,
        title=category.title,
        facts=statement.fields["decision_facts"],
        stage=STAGES[_thing(decision)],
        means=_means(statement),
        rule=category.law["ground"] if category.law else category.rule,
        ground=category.law["explanation"] if category.law else category.explanation,
        explanation=decision.explanation,
        prompt=tuple(pieces(decision.seen.prompt or "", quoted(decision))),
        categories=tuple(_flagged(decision)),
        policy_version=decision.policy_version,
        is_automated=decision.is_automated,
        decided_at=decision.decided_at,
        deadline=until,
        is_open=appeal is None and not is_reversed and at <= until,
        is_reversed=is_reversed,
        appeal=appeal,
    )


def heading(decision: Decision) -> str:
    """What happened, as the first line of the page and the subject of the mail."""
    told = decision.measure.told
    if decision.action == Decision.Action.WITHDRAW_ADAPTER and decision.subject_kind == "image":
        told = "refused"  # the adapter's owner gets a statement of their own
    if decision.end_user_id is not None:
        told = told.replace("your account is", "you are")
    return f"Your {NOUNS[_thing(decision)]} was {told}"


def find(statement_id: UUID, *, by: User) -> Statement:
    """A statement of one of the user's projects; raises StatementNotFound for anybody else's."""
    found = _newest(Statement.objects.visible_to(by)).filter(id=statement_id).first()
    if found is None:
        raise StatementNotFound
    return found


def category_of(decision: Decision) -> policy_document.Category:
    """The policy category that the restriction names."""
    return policy_document.load(decision.policy_version).categories[decision.reason]


def quoted(decision: Decision) -> list[tuple[int, int, str]]:
    """Spans of the prompt that the notice may quote: none once a severe category is involved."""
    active = policy_document.load(decision.policy_version)
    by_rule = {rule.id: active.categories[rule.category] for rule in active.rules}
    matched = list(decision.seen.matched or ())
    involved = [
        category_of(decision),
        *(by_rule[rule] for _, _, rule in matched if rule in by_rule),
    ]
    return matched if all(category.names_span for category in involved) else []


def _flagged(decision: Decision) -> list[str]:
    """Titles of the categories that the scores or the reviewer named, the deciding one first."""
    judged = policy_document.load(decision.policy_version)
    named = [decision.reason]
    if decision.subject_kind != "adapter":
        stage: policy_document.Stage = "prompt" if decision.subject_kind == "prompt" else "image"
        named += [
            name
            for name, score in decision.categories.items()
            if judged.categories[name].thresholds[stage].verdict(score) != "allow"
        ]
    return [judged.categories[name].title for name in dict.fromkeys(named)]


def _means(statement: Statement) -> str:
    """How programs took part in finding and in deciding, as one sentence."""
    found = (
        MEANS[_thing(statement.decision)]
        if statement.fields["automated_detection"] == "Yes"
        else MEANS_OF_NOTICE
        if statement.decision.seen.is_reported
        else "A person noticed it"
    )
    if statement.decision.is_automated:
        return f"{found} and refused it without a person."
    return f"{found}; a person decided."


def _restriction(decision: Decision) -> str:
    """What is restricted, as one or two sentences; an end user has no account here."""
    said = RESTRICTED.get(decision.action) or REFUSED[_thing(decision)]
    is_of_end_user = decision.end_user_id is not None
    if decision.action == Decision.Action.WARN:
        who = "You are" if is_of_end_user else "Your account is"
        return f"{said} {who} warned: a suspension can follow if this happens again."
    if until := _suspended_until(decision):
        who = "You are" if is_of_end_user else "Your account is"
        may = "read this and appeal" if is_of_end_user else "sign in, read and appeal"
        return (
            f"{said} {who} suspended until {until:%-d %B %Y}: you can {may}, and ask for nothing "
            "new."
        )
    return said


def _duration(decision: Decision) -> str:
    if until := _suspended_until(decision):
        return f"The account until {until:%-d %B %Y}, the rest until it is reversed; everywhere"
    return "Everywhere, until it is reversed"


def _suspended_until(decision: Decision) -> date | None:
    if decision.days is None:
        return None
    return (decision.decided_at + timedelta(days=decision.days)).date()


def _thing(decision: Decision) -> str:
    """The kind of subject in the statement's words: an upload is told from a drawn image."""
    return "upload" if decision.seen.is_uploaded else decision.subject_kind


def _facts(decision: Decision, category: policy_document.Category) -> str:
    noun = NOUNS[_thing(decision)]
    if decision.is_automated:
        how = (
            f"Rules and a classifier scored the {noun} above the policy's limit "
            "and refused it at once."
        )
    elif decision.follows_id is not None:
        how = f"A reviewer looked at a picture made with the {noun} and withdrew the {noun}."
    elif decision.seen.is_reported:
        how = f"Somebody had reported the {noun}; a person looked at it and {_did(decision)} it."
    else:
        how = f"A reviewer looked at the {noun}, which had been held, and {_did(decision)} it."
    return f"The {noun} was found to fall under “{category.title}”. {how}"


def _did(decision: Decision) -> str:
    if decision.action in {Decision.Action.BLUR, Decision.Action.AGE_RESTRICT}:
        return "restricted"
    return "refused"


def _source(decision: Decision) -> eu_statement.Source:
    """Own initiative, a notice under Art. 16, or a trusted flagger's; never who sent it."""
    if not decision.seen.is_reported:
        return "SOURCE_VOLUNTARY"
    case_id = decision.case_id or (decision.reverses.case_id if decision.reverses else None)
    is_trusted = reported.of_case(case_id).filter(is_trusted=True).exists()
    return "SOURCE_TRUSTED_FLAGGER" if is_trusted else "SOURCE_ARTICLE_16"


def _content_date(decision: Decision) -> date:
    return (decision.seen.created_at or decision.decided_at).date()
