"""Dating the log by somebody else's clock: checkpoints get a timestamp (RFC 3161).

A manifest gets one while it is signed. Where the authority did not answer then, the picture went
out without, and the next checkpoint that covers its entry is dated instead, as soon as the
authority answers; until then an open row says that the tree is untimestamped, and why. With nothing
to make up for, the log is dated every hour.
"""

import secrets
from datetime import datetime, timedelta
from functools import cache

from django.db.models import Q

from config.core.net import http_post
from config.core.net.circuit_breaker import Patience
from config.core.net.http_post import Answer
from provenance.log import cosigning, transparency_log
from provenance.log.formats import checkpoint, timestamp_token
from provenance.manifests import signing_context
from provenance.manifests.content_credentials import TimestampAuthority
from provenance.models import Asset, Checkpoint, LogEntry, Timestamp

EVERY = timedelta(hours=1)
MAX_ANSWER_BYTES = 64 * 1024
_DATED = ~Q(token=b"")


def stamp(*, at: datetime) -> bool:
    """Have the newest checkpoint dated where that is due; whether it was.

    With witnesses it is the newest that one of them has seen. Raises `KeysUnusable`.
    """
    authority = signing_context.timestamp_authority()
    head = _head()
    if authority is None or head is None or not _is_due(head, at=at):
        return False
    note = head.note + cosigning.lines_for(head.tree_size)
    row = Timestamp.objects.filter(token=b"").first() or Timestamp(first_asked_at=at)
    row.tree_size, row.note, row.asked_at = head.tree_size, note, at
    row.attempts += 1
    try:
        found = _ask(authority, note)
    except (timestamp_token.TimestampInvalid, http_post.Unanswered) as error:
        row.problem = error.code
        row.save()
        return False
    row.token, row.dated_at, row.authority = found.token, found.at, found.authority
    row.problem = ""
    row.save()
    return True


def of_leaf(index: int) -> Timestamp | None:
    """The earliest dated checkpoint that covers a leaf; None where none does yet."""
    return Timestamp.objects.filter(_DATED, tree_size__gt=index).order_by("tree_size").first()


def message_of(note: str) -> bytes:
    """What is dated: the text of the tree head, without signatures. Raises `NoteInvalid`."""
    return checkpoint.parse(note).text().encode()


def _head() -> Checkpoint | None:
    if cosigning.witnesses():
        return cosigning.best_head(0)
    return Checkpoint.objects.order_by("-tree_size").first()


def _is_due(head: Checkpoint, *, at: datetime) -> bool:
    """Once an hour while the log grows; at once where a picture went out without a time."""
    last = Timestamp.objects.filter(_DATED).order_by("-tree_size").first()
    if last is None:
        return True
    if head.tree_size <= last.tree_size:
        return False
    return last.asked_at <= at - EVERY or _has_untimed_since(last.tree_size)


def _has_untimed_since(size: int) -> bool:
    marked = LogEntry.objects.filter(kind=transparency_log.ASSET_MARKED, leaf__index__gte=size)
    return Asset.objects.filter(is_timestamped=False, id__in=marked.values("subject")).exists()


def _ask(authority: TimestampAuthority, note: str) -> timestamp_token.TimestampToken:
    """Raises `timestamp_token.TimestampInvalid` or `http_post.Unanswered`."""
    message, nonce = message_of(note), secrets.randbits(63)
    answer = _patience(authority.url, authority.seconds).attempt(
        lambda: http_post.post(
            authority.url,
            timestamp_token.request(message, nonce=nonce),
            content_type="application/timestamp-query",
            seconds=authority.seconds,
            max_bytes=MAX_ANSWER_BYTES,
        )
    )
    if answer is None:
        raise http_post.Unanswered(message="The timestamping authority did not answer.")
    return timestamp_token.token_of(
        answer.body, message, nonce=nonce, anchors_pem=authority.anchors_pem
    )


@cache
def _patience(url: str, seconds: float) -> Patience[Answer]:
    return Patience(f"the timestamping authority at {url}", seconds)
