"""What a project does for those whom it serves: read their notices, and appeal in their place."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from config.core.errors import ProofsheetError
from moderation.appeals import hearing
from moderation.models import Statement
from moderation.public_notices import addresses, notices
from moderation.public_notices.notices import PublicNotice
from moderation.statements.issuing import StatementNotFound


class NotForAnEndUser(ProofsheetError):
    """The project asked for itself, so whoever asked appeals with their own account."""

    default_code = "not_for_an_end_user"
    default_message = "This statement concerns nobody whom the project serves."
    default_advice = "Whoever asked appeals under their own account, with POST /api/v1/appeals/."
    default_status = 409


def notice_of(statement_id: UUID, *, by: User, at: datetime) -> PublicNotice:
    """One of the statements of the project that `by` acts for. Raises StatementNotFound."""
    return _notice(_find(statement_id, by=by), at=at)


def lodge(statement_id: UUID, *, by: User, grounds: str, email: str, at: datetime) -> PublicNotice:
    """Appeal for the end user whom a statement concerns, as the holder of its address would.

    Raises StatementNotFound, NotForAnEndUser, and what `hearing.lodge` raises.
    """
    statement = _find(statement_id, by=by, is_acting=True)
    if statement.decision.end_user_id is None:
        raise NotForAnEndUser
    holds = addresses.row_of(statement.decision)
    hearing.lodge(statement.decision, by=by, holds=holds, grounds=grounds, email=email, at=at)
    return _notice(_find(statement_id, by=by), at=at)


def _notice(statement: Statement, *, at: datetime) -> PublicNotice:
    return notices.notice_of(addresses.row_of(statement.decision), at=at)


def _find(statement_id: UUID, *, by: User, is_acting: bool = False) -> Statement:
    rows = Statement.objects.select_related("decision")
    mine = rows.changeable_by(by) if is_acting else rows.visible_to(by)
    found = mine.filter(id=statement_id).first()
    if found is None:
        raise StatementNotFound
    return found
