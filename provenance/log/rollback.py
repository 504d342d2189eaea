"""Whether the log is behind what its own key has signed already: then nothing more is signed.

A database restored from an older backup has fewer leaves than the log has shown; whatever it
signed next would be a second history under the same key (ADR 130). The proof is a checkpoint by our
own key with a witness's cosignature. Nobody else can make one up, so no witness can stop a log by
lying.
"""

from django.db.models import Max, Subquery
from django.db.models.functions import Coalesce

from config.core.errors import ProofsheetError
from provenance.models import Checkpoint, Cosignature


class LogBehind(ProofsheetError):
    """The database lacks leaves that a cosigned checkpoint of this log covers."""

    default_code = "log_behind"
    default_message = "The log has fewer entries than its own key has signed already."
    default_advice = (
        "Stop the house and restore the newest backup of its database; `manage.py check_witnesses` "
        "shows the checkpoint that is ahead, and says when the log is whole again."
    )
    default_status = 503


def missing() -> int:
    """How many leaves the database lacks of the largest tree that a witness cosigned."""
    newest = Subquery(Checkpoint.objects.order_by("-tree_size").values("tree_size")[:1])
    ahead = Max("tree_size") - Coalesce(newest, 0)  # in one statement: both grow meanwhile
    found = Cosignature.objects.exclude(line="").aggregate(ahead=ahead)["ahead"]
    return max(0, found or 0)


def require_whole() -> None:
    """Raises `LogBehind`."""
    if lacking := missing():
        raise LogBehind(
            message=f"The log lacks {lacking} entries that its own key has signed already, as a "
            "witness proves. It signs nothing until they are back."
        )
