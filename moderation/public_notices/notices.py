"""What the page at a public address shows: a statement and its appeal, or what still waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from moderation.models import Appeal, Decision, PublicAddress
from moderation.policy.rulebook.highlights import Piece, pieces
from moderation.public_notices import addresses
from moderation.public_notices.issuers import Issuer, issuer_of
from moderation.statements import issuing
from moderation.statements.issuing import StatementView
from moderation.subjects import deliverable_pictures
from moderation.subjects.actions import RESTRICTIONS
from moderation.subjects.deliverable_pictures import DeliverablePicture, Delivered

State = Literal["waiting", "allowed", "in_force", "reversed"]


class PictureNotThere(addresses.AddressUnknown):
    """Not one that this notice let through, or deleted or stopped since."""

    default_code = "notice_picture_not_found"
    default_message = "There is no such picture to fetch here."
    default_advice = "The notice shows which pictures there are."


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """A refusal or a hold as whoever holds its address reads it; nobody who decided is named.

    `statement` is None where nothing is restricted: while it `waits_until` a person has looked at
    it, and where that person allowed it. `appeal` may be somebody else's who was told of the same.
    """

    address: PublicAddress
    state: State
    heading: str
    words: tuple[Piece, ...]
    issuer: Issuer
    statement: StatementView | None
    appeal: Appeal | None
    began_at: datetime
    waits_until: datetime | None
    delivered: Delivered

    @property
    def is_own_appeal(self) -> bool:
        return self.appeal is not None and self.appeal.address_id is not None

    @property
    def may_appeal(self) -> bool:
        return self.statement is not None and self.statement.is_open


def read(token: str, *, at: datetime) -> PublicNotice:
    """Raises what `addresses.find` raises."""
    return notice_of(addresses.find(token, at=at), at=at)


def notice_of(address: PublicAddress, *, at: datetime) -> PublicNotice:
    """What the address shows at that time."""
    decision = address.decided
    return _waiting(address) if decision is None else _decided(address, decision, at=at)


def picture(notice: PublicNotice, image_id: UUID) -> DeliverablePicture:
    """One of the pictures that can be fetched. Raises PictureNotThere."""
    found = [one for one in notice.delivered.pictures if one.id == image_id]
    if not found:
        raise PictureNotThere
    return found[0]


def _waiting(address: PublicAddress) -> PublicNotice:
    case = address.case
    assert case is not None, "an address without a decision is of a case"
    thing = "upload" if case.seen.is_uploaded else case.subject_kind
    return PublicNotice(
        address=address,
        state="waiting",
        heading=f"Your {issuing.NOUNS[thing]} waits for a person",
        words=tuple(pieces(case.seen.prompt or "", [])),
        issuer=issuer_of(case),
        statement=None,
        appeal=None,
        began_at=case.opened_at,
        waits_until=case.due_at,
        delivered=Delivered("none"),
    )


def _decided(address: PublicAddress, decision: Decision, *, at: datetime) -> PublicNotice:
    is_restriction = decision.action in RESTRICTIONS
    statement = issuing.notice(decision.statement, at=at) if is_restriction else None
    is_reversed = hasattr(decision, "reversed_by")
    is_free = is_reversed if is_restriction else not is_reversed
    kind, subject_id = decision.subject_kind, decision.subject_id
    appeal: Appeal | None = getattr(decision, "appeal", None)
    return PublicNotice(
        address=address,
        state="reversed" if is_reversed else "in_force" if is_restriction else "allowed",
        heading=issuing.heading(decision),
        words=statement.prompt if statement else _words(decision),
        issuer=issuer_of(decision),
        statement=statement,
        appeal=appeal if is_restriction else None,
        began_at=decision.decided_at,
        waits_until=None,
        delivered=deliverable_pictures.find(kind, subject_id) if is_free else Delivered("none"),
    )


def _words(decision: Decision) -> tuple[Piece, ...]:
    return tuple(pieces(decision.seen.prompt or "", []))
