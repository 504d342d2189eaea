"""The decision log of a period for compliance: every decision and appeal, without personal data.

Who decided stands in it as "automated" or "person", never by name; the owner, the prompt and the
words of anybody stay out. The digest is the one that the provenance log keeps of the decision,
with the salt that went into it.
"""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

from moderation.decisions import enforcing
from moderation.exports.transparency_files import Period
from moderation.models import Appeal, Decision

COLUMNS = (
    "decided_at", "decision", "subject_kind", "subject", "action", "code", "reason",
    "policy_version", "decided_by", "is_severe", "is_confirmed", "reverses", "days", "follows",
    "statement", "appeal", "appeal_status", "appeal_lodged_at", "appeal_heard_at", "digest", "salt",
)  # fmt: skip


def files(period: Period) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of the log as CSV and as one JSON object a line; the same rows, same bytes."""
    rows = list(_rows(period))
    table = StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    yield "decision-log.csv", table.getvalue().encode()
    yield "decision-log.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _rows(period: Period) -> Iterator[dict[str, Any]]:
    rows = period.of(Decision.objects.all(), "decided_at")
    found = rows.select_related("statement", "appeal")
    for decision in found.order_by("decided_at", "id").iterator(chunk_size=1000):
        yield _row(decision)


def _row(decision: Decision) -> dict[str, Any]:
    statement = getattr(decision, "statement", None)
    appeal: Appeal | None = getattr(decision, "appeal", None)
    return {
        "decided_at": decision.decided_at.isoformat(),
        "decision": str(decision.id),
        "subject_kind": decision.subject_kind,
        "subject": str(decision.subject_id),
        "action": decision.action,
        "code": decision.code,
        "reason": decision.reason,
        "policy_version": decision.policy_version,
        "decided_by": "automated" if decision.is_automated else "person",
        "is_severe": decision.is_severe,
        "is_confirmed": decision.is_confirmed,
        "reverses": str(decision.reverses_id or ""),
        "days": "" if decision.days is None else decision.days,
        "follows": str(decision.follows_id or ""),
        "statement": str(statement.id) if statement else "",
        "appeal": str(appeal.id) if appeal else "",
        "appeal_status": appeal.status if appeal else "",
        "appeal_lodged_at": appeal.lodged_at.isoformat() if appeal else "",
        "appeal_heard_at": appeal.heard_at.isoformat() if appeal and appeal.heard_at else "",
        "digest": enforcing.digest(decision),
        "salt": bytes(decision.salt).hex(),
    }
