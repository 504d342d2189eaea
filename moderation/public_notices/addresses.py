"""Public addresses: one for each refusal and each hold that somebody without an account is told of.

They are made when somebody asks for them, and the same again to whoever asks again.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from config.core.errors import ProofsheetError
from moderation.models import Appeal, Decision, PublicAddress, ReviewCase
from moderation.public_notices import tokens
from moderation.statements import issuing

Thing = tuple[Literal["case", "decision"], UUID]
"""What an address is of, and its id."""
_RELATED = (
    *("case", "case__decision", "case__decision__statement", "case__decision__reversed_by"),
    *("case__decision__appeal", "decision", "decision__statement", "decision__reversed_by"),
    *("decision__appeal", "case__project", "case__decision__project", "decision__project"),
)


class AddressUnknown(ProofsheetError):
    """No notice has this token."""

    default_code = "notice_address_unknown"
    default_message = "There is no notice at this address."
    default_advice = "Check that it was copied whole."
    default_status = 404


class AddressExpired(ProofsheetError):
    """The six months are over in which an appeal was possible, or its outcome could be read."""

    default_code = "notice_address_expired"
    default_message = "The six months in which this address could be opened are over."
    default_advice = "An out-of-court dispute settlement body or a court can still hear you."
    default_status = 410


class AddressWithdrawn(ProofsheetError):
    """Somebody had it withdrawn, such as one that got into the wrong hands."""

    default_code = "notice_address_withdrawn"
    default_message = "This address was withdrawn, so nothing is shown here any more."
    default_advice = "Ask whoever gave it to you for a new one."
    default_status = 410


def address_of(decision: Decision) -> str:
    """The address of a decision, in full: the same as its case's, where one came before it."""
    [address] = addresses_of([decision]).values()
    return address


def addresses_of(decisions: Iterable[Decision]) -> dict[UUID, str]:
    """The addresses of several decisions by their ids, fetched at once."""
    things = {decision.id: _thing_of(decision) for decision in decisions}
    found = _addresses(list(things.values()))
    return {decision_id: found[thing] for decision_id, thing in things.items()}


def addresses_of_held(subject_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The addresses of what waits for a person, by the ids of prompts and pictures. What somebody
    reported, and what is looked at for a label alone, waits for nobody's answer here.
    """
    waiting = ReviewCase.objects.exclude(status=ReviewCase.Status.DECIDED)
    held = [
        case
        for case in waiting.filter(subject_id__in=list(subject_ids), is_sampled=False)
        if is_held(case)
    ]
    found = _addresses([("case", case.id) for case in held])
    return {case.subject_id: found["case", case.id] for case in held}


def is_held(case: ReviewCase) -> bool:
    """Whether its subject is kept back until somebody has looked at it."""
    was_public = case.seen.is_reported or case.seen.is_found
    return not case.is_sampled and not was_public


def appeal_address(address: str) -> str:
    """Where an appeal is lodged and its outcome read, beside an address."""
    return f"{address}/appeal"


def path_of(token: str) -> str:
    """The path of a token's page."""
    return reverse("moderation:public-notice", args=[token])


def find(token: str, *, at: datetime) -> PublicAddress:
    """The address of a token. Raises AddressUnknown, AddressExpired, AddressWithdrawn."""
    rows = PublicAddress.objects.select_related(*_RELATED)
    digest = tokens.digest_of(token)
    row = rows.filter(digest=digest).first() if tokens.is_spelled_right(token) else None
    if row is None:
        raise AddressUnknown
    if row.withdrawn_at is not None:
        raise AddressWithdrawn
    if (until := valid_until(row.decided)) is not None and at > until:
        raise AddressExpired
    return row


def row_of(decision: Decision) -> PublicAddress:
    """The address of a decision as a row, with all that its page shows."""
    token = address_of(decision).rpartition("/")[2]
    return PublicAddress.objects.select_related(*_RELATED).get(digest=tokens.digest_of(token))


def shown(row: PublicAddress) -> str:
    """An address that was made with the key of today, in full."""
    return settings.PUBLIC_URL + path_of(tokens.token_of(_thing(row)[1], row.number))


def valid_until(decision: Decision | None) -> datetime | None:
    """Six months from the decision, or from when an appeal ended; None while somebody waits."""
    if decision is None:
        return None
    appeal: Appeal | None = getattr(decision, "appeal", None)
    if appeal is None:
        return issuing.deadline(decision)
    return appeal.heard_at + issuing.WINDOW if appeal.heard_at else None


def withdraw(address: PublicAddress, *, at: datetime) -> None:
    """Show nothing at an address from now on. Whoever asks for one then gets another."""
    PublicAddress.objects.filter(id=address.id, withdrawn_at__isnull=True).update(withdrawn_at=at)


def _thing_of(decision: Decision) -> Thing:
    return ("case", decision.case_id) if decision.case_id else ("decision", decision.id)


def _addresses(things: list[Thing]) -> dict[Thing, str]:
    """What has no address yet gets one."""
    if not things:
        return {}
    found, counts = _tokens(things)
    if missing := [thing for thing in things if thing not in found]:
        now = timezone.now()
        made = [_new(thing, counts[thing], at=now) for thing in missing]
        PublicAddress.objects.bulk_create(made, ignore_conflicts=True)  # another was as fast
        found |= _tokens(missing)[0]
    return {thing: settings.PUBLIC_URL + path_of(token) for thing, token in found.items()}


def _tokens(things: list[Thing]) -> tuple[dict[Thing, str], Counter[Thing]]:
    """Of addresses that are not withdrawn, and that the key of today makes again; and how many
    each thing has at all, seen in the same look: two who make one at once then make the same."""
    found, counts = {}, Counter[Thing]()
    for row in _rows(things).order_by("number"):
        counts[_thing(row)] += 1
        token = tokens.token_of(_thing(row)[1], row.number)
        if row.withdrawn_at is None and tokens.digest_of(token) == row.digest:
            found[_thing(row)] = token
    return found, counts


def _rows(things: list[Thing]) -> QuerySet[PublicAddress]:
    ids = [thing_id for _, thing_id in things]
    return PublicAddress.objects.filter(Q(case_id__in=ids) | Q(decision_id__in=ids))


def _thing(row: PublicAddress) -> Thing:
    if row.case_id:
        return "case", row.case_id
    assert row.decision_id is not None, "the database holds that it is of one thing"
    return "decision", row.decision_id


def _new(thing: Thing, number: int, *, at: datetime) -> PublicAddress:
    kind, thing_id = thing
    digest = tokens.digest_of(tokens.token_of(thing_id, number))
    named = {f"{kind}_id": thing_id}
    return PublicAddress(**named, number=number, digest=digest, made_at=at)
