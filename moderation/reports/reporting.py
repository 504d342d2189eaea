"""Reports of public pictures: take one, and find it for whoever sent it.

A report opens the picture's review case or joins it. What it says raises the case's urgency, a
trusted flagger's more so; it never decides anything.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from config.core import events, retention
from config.core.errors import ProofsheetError
from config.core.holds import asking
from moderation.cases import reported, review_cases
from moderation.models import Report, ReviewCase
from moderation.policy.rulebook import characters, policy_document
from moderation.reports import report_limits
from moderation.reports.report_limits import Sender
from moderation.subjects import reportable_pictures
from provenance.verify import sightings

WORDS_MAX = 4000
TRUSTED_HOURS = 4  # a trusted flagger's report is looked at within this time
KEPT_FOR = timedelta(days=2 * 184)  # how long it is known who sent a report
Status = ReviewCase.Status


class GroundUnknown(ProofsheetError):
    """The ground is neither a category of the policy nor one of the others."""

    default_code = "ground_unknown"
    default_message = "This ground is not one that a picture can be reported on."
    default_advice = "Choose one of the grounds in the list."
    default_status = 422


class ExplanationMissing(ProofsheetError):
    """The explanation is empty or too long."""

    default_code = "words_missing"
    default_message = f"Say in 1 to {WORDS_MAX} characters why the picture should not be here."
    default_advice = "A sentence that a stranger understands is enough."
    default_status = 422


class GoodFaithMissing(ProofsheetError):
    """The confirmation of DSA Art. 16(2)(d) was not given."""

    default_code = "good_faith_missing"
    default_message = "A report needs your word that it is accurate and complete."
    default_advice = "Tick the confirmation, if you can."
    default_status = 422


class PictureNotShown(ProofsheetError):
    """Only a number came, and every number stands in the public log."""

    default_code = "picture_not_shown"
    default_message = "A report needs the picture itself, not its number."
    default_advice = "Verify the file first: its result leads to the report."
    default_status = 422


class AlreadyReported(ProofsheetError):
    """This sender's report of the picture still waits."""

    default_code = "already_reported"
    default_message = "You have reported this picture before, and it still waits for a person."
    default_advice = "Your receipt shows how far it is."
    default_status = 409


class ReportNotFound(ProofsheetError):
    """No report has this receipt."""

    default_code = "notice_not_found"
    default_message = "There is no such report."
    default_advice = "Check the address of your receipt."
    default_status = 404


@dataclass(frozen=True, slots=True)
class SentReport:
    """What somebody says about a picture that they have: `sighting` is the verifier's word for it.
    Name and e-mail are for those without an account.
    """

    sighting: str
    category: str
    explanation: str
    is_in_good_faith: bool
    name: str = ""
    email: str = ""


@transaction.atomic
def submit(sent: SentReport, *, sender: Sender, at: datetime) -> Report:
    """Take a report. Raises report_limits.ReportsSuspended, GroundUnknown, ExplanationMissing,
    GoodFaithMissing, PictureNotShown, sightings.SightingInvalid, AlreadyReported,
    reportable_pictures.PictureNotPublic.
    """
    report_limits.check(sender, at=at)
    words = _checked(sent)
    found = reportable_pictures.find(seen(sent.sighting, at=at))
    row = _case_of(found, at=at)
    _refuse_second(row, sent, sender)
    report = Report.objects.create(
        case=row,
        notifier=sender.user,
        sender=sender.digest,
        name="" if sender.user else sent.name.strip(),
        email="" if sender.user else sent.email.strip(),
        category=sent.category,
        explanation=words,
        is_trusted=sender.is_trusted,
        is_in_good_faith=sent.is_in_good_faith,
        received_at=at,
    )
    _hurry(row, report)
    events.mail("moderation.tasks.mail_receipt", str(report.id))
    return report


def seen(sighting: str, *, at: datetime) -> UUID:
    """The picture that somebody has. Raises PictureNotShown, sightings.SightingInvalid."""
    if not sighting:
        raise PictureNotShown
    return sightings.read(sighting, at=at)


def find(receipt_key: UUID) -> Report:
    """The report of a receipt; raises ReportNotFound."""
    related = ("case", "case__decision", "case__decision__reversed_by", "notifier")
    found = Report.objects.select_related(*related).filter(receipt_key=receipt_key).first()
    if found is None:
        raise ReportNotFound
    return found


def of_notifier(*, by: User) -> QuerySet[Report]:
    """The reports that `by` made while signed in, newest first."""
    related = ("case", "case__decision", "case__decision__reversed_by")
    mine = Report.objects.select_related(*related).filter(notifier=by)
    return mine.order_by("-received_at", "id")


def _checked(sent: SentReport) -> str:
    words = characters.typed(sent.explanation)
    if sent.category not in reported.grounds():
        raise GroundUnknown
    if not 1 <= len(words) <= WORDS_MAX:
        raise ExplanationMissing
    if not sent.is_in_good_faith:
        raise GoodFaithMissing
    return words


def _case_of(found: reportable_pictures.Reportable, *, at: datetime) -> ReviewCase:
    """The picture's undecided case under its lock; one that was decided meanwhile is not joined."""
    evidence = replace(found.evidence, is_reported=True)
    row = review_cases.locked(
        review_cases.open_case(subject=found.subject, evidence=evidence, at=at)
    )
    if row.status == Status.DECIDED:
        row = review_cases.locked(
            review_cases.open_case(subject=found.subject, evidence=evidence, at=at)
        )
    return row


def _refuse_second(row: ReviewCase, sent: SentReport, sender: Sender) -> None:
    same = (
        Q(notifier=sender.user)
        if sender.user
        else Q(notifier=None, sender=sender.digest, category=sent.category)
    )
    if row.reports.filter(same).exists():
        raise AlreadyReported


def _hurry(row: ReviewCase, report: Report) -> None:
    """Raise the case to what the report says; a case that is decided but for its undo window stays.

    A case that becomes severe leaves the desk of a reviewer who may not see severe ones.
    """
    if row.status == Status.PROPOSED:
        return
    categories = policy_document.load(row.seen.policy_version).categories
    said, known = categories.get(report.category), categories.get(row.category)
    severity = said.severity if said else 1
    hours = said.review_within_hours if said else review_cases.UNJUDGED_HOURS
    if report.is_trusted:
        severity = max(severity, min(severity + 1, review_cases.SEVERE - 1))
        hours = min(hours, TRUSTED_HOURS)
    is_worse = said is not None and (known is None or said.severity > known.severity)
    if severity >= review_cases.SEVERE > row.severity:
        review_cases.keep_from_unseeing(row)
        if row.status == Status.LEASED:
            row.reopen()
    row.hurry(
        category=said.name if said and is_worse else row.category,
        severity=max(row.severity, severity),
        due_at=min(row.due_at, report.received_at + timedelta(hours=hours)),
    )


def forget(*, at: datetime) -> int:
    """Forget who sent the reports whose time for appeals is long over; of how many."""
    nobody = {"name": "", "email": "", "sender": ""}
    return retention.in_batches(lambda: _over(at), lambda rows: rows.update(**nobody))


def due(*, at: datetime) -> int:
    """How many would go."""
    return _over(at).count()


def _over(at: datetime) -> QuerySet[Report]:
    old = Report.objects.filter(received_at__lt=at - KEPT_FOR)
    named = old.exclude(name="", email="", sender="")
    theirs = asking.without_held(named, at=at, account="notifier", thing="pk")
    about = {"account": "owner", "project": "project", "end_user": "end_user",
             "thing": "subject_id"}  # fmt: skip
    return asking.without_held(theirs, at=at, **{k: f"case__{name}" for k, name in about.items()})
