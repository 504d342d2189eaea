"""The people whom a project serves: known by a digest that no other project can make."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from config.core.errors import ProofsheetError
from config.core.projects import project_secret
from config.core.projects.models import EndUser, Project

CLAIM_MAX_BYTES = 4096
_SEEN_EVERY = timedelta(minutes=1)


class EndUserIdTooLong(ProofsheetError):
    """What a product calls its user is more than anybody needs."""

    default_code = "end_user_id_too_long"
    default_message = f"The end user's id is longer than {CLAIM_MAX_BYTES} bytes."
    default_advice = "Send a digest of it, such as a SHA-256 in hexadecimal."
    default_status = 400


def seen(project: Project, claimed: str, *, at: datetime | None = None) -> EndUser:
    """Whom the project calls so, made at first sight; two at once get the same row.

    Raises EndUserIdTooLong.
    """
    now, ref = at or timezone.now(), ref_of(project, claimed)
    row, _ = EndUser.objects.get_or_create(
        project=project, ref=ref, defaults={"first_seen_at": now, "last_seen_at": now}
    )
    if row.last_seen_at <= now - _SEEN_EVERY:
        still = Q(last_seen_at__lte=now - _SEEN_EVERY)
        EndUser.objects.filter(still, pk=row.pk).update(last_seen_at=now)
    return row


def ref_of(project: Project, claimed: str) -> str:
    """The digest under which the project's end user is known. Raises EndUserIdTooLong."""
    if len(claimed.encode("utf-8", "surrogatepass")) > CLAIM_MAX_BYTES:
        raise EndUserIdTooLong
    return project_secret.digest(project.secret, claimed.strip())
