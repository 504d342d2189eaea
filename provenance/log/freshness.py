"""Showing that the log is alive: the newest checkpoint is cosigned with the time every so often.

The signed note of an unchanged tree never changes, so an idle log and one that an attacker holds
still would look alike. The log's own key signs the time beside it, as witnesses do.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from provenance.keys.installed_keys import keyring
from provenance.log import cosigning, own_keys, rollback, transparency_log
from provenance.log.formats import checkpoint
from provenance.models import Checkpoint, Freshness


def refresh(*, at: datetime) -> bool:
    """Cosign the largest tree unless that was done within `PROOFSHEET_CHECKPOINT_SECONDS`.

    Raises as `own_keys.require`, and `LogBehind`.
    """
    head = Checkpoint.objects.order_by("-tree_size").first()
    if head is None:
        return False
    age = timedelta(seconds=settings.PROOFSHEET_CHECKPOINT_SECONDS)
    if Freshness.objects.filter(tree_size=head.tree_size, at__gt=at - age).exists():
        return False
    own_keys.require_signer_of(head)
    rollback.require_whole()
    origin = settings.PROOFSHEET_LOG_ORIGIN
    tree = checkpoint.TreeHead(origin, head.tree_size, bytes(head.root_hash))
    line = "".join(
        checkpoint.cosign(tree, name=origin, key=key, unix_time=int(at.timestamp()))
        for key in keyring().log_signers(at=at)
    )
    with transaction.atomic():
        Freshness.objects.update_or_create(
            tree_size=head.tree_size, defaults={"line": line, "at": at}
        )
        Freshness.objects.filter(tree_size__lt=head.tree_size).delete()
    return True


def latest_note() -> str:
    """The newest checkpoint with its timed cosignatures, the log's own and those of witnesses.
    Raises `NotInLog` before the first.
    """
    head = transparency_log.latest_checkpoint()
    fresh = Freshness.objects.filter(tree_size=head.tree_size).first()
    return head.note + (fresh.line if fresh else "") + cosigning.lines_for(head.tree_size)
