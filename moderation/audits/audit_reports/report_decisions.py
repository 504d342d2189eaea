"""What is decided on a report after it was frozen, and who answers for it.

A decision is a row beside the report that is never changed; a later one is a new row. It names the
report by its digest and its own digest is logged, so the frozen files stay as they are and nobody
can say later that something else was decided.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from config.core.errors import ProofsheetError
from moderation.audits.audit_reports import auditors, freeze
from moderation.audits.models import Audit, AuditDecision
from moderation.audits.tables import renditions
from moderation.policy.rulebook import characters
from provenance.log import transparency_log

RESPONSIBLE_MAX = 120
WORDS_MAX = 4000
FILES = ("decisions.json", "decisions.pdf")


class DecisionWordsMissing(ProofsheetError):
    """Nobody answers for it, or it says nothing, or too much."""

    default_code = "audit_decision_empty"
    default_message = (
        f"Say who is responsible, in up to {RESPONSIBLE_MAX} characters, and what was decided, "
        f"in up to {WORDS_MAX}."
    )
    default_advice = "“No change, because …” is a decision too."
    default_status = 422


@transaction.atomic
def record(
    audit: Audit, *, responsible: str, decision: str, by: User, at: datetime
) -> AuditDecision:
    """Record a decision on a report and log its digest. Raises NotCompliance, DecisionWordsMissing.

    The log keeps the digest alone: names and reasons can be told, or not, by whoever holds the row.
    """
    auditors.check_compliance(by)
    name, words = characters.visible(responsible), characters.typed(decision)
    if not (0 < len(name) <= RESPONSIBLE_MAX and 0 < len(words) <= WORDS_MAX):
        raise DecisionWordsMissing
    report = audit.digests["report.json"]
    said = _said(str(audit.id), report, name, words, at)
    made = AuditDecision.objects.create(
        audit=audit,
        responsible=name,
        decision=words,
        report_sha256=report,
        sha256=_digest(said),
        recorded_by=by,
        recorded_at=at,
    )
    body = {"digest": made.sha256, "report": report}
    transparency_log.append(kind="audit.decision", subject=audit.id, body=body, at=at)
    return made


def files_of(audit: Audit) -> dict[str, bytes]:
    """The decisions as JSON and PDF, oldest first; nothing where there are none.

    Raises freeze.AuditAltered where a row is not what was logged of it.
    """
    rows = list(audit.decisions.order_by("id"))
    if not rows:
        return {}
    said = [_checked(row) | {"sha256": row.sha256} for row in rows]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, indent=1)
    return {
        "decisions.json": text.encode() + b"\n",
        "decisions.pdf": renditions.decisions_pdf(audit.title, said),
    }


def _checked(row: AuditDecision) -> dict[str, Any]:
    said = _said(
        str(row.audit_id), row.report_sha256, row.responsible, row.decision, row.recorded_at
    )
    if _digest(said) != row.sha256:
        raise freeze.AuditAltered(message="A decision is not as it was logged.")
    return said


def _said(audit: str, report: str, responsible: str, decision: str, at: datetime) -> dict[str, Any]:
    return {
        "audit": audit,
        "report_sha256": report,
        "responsible": responsible,
        "decision": decision,
        "recorded_at": at.astimezone(UTC).isoformat(),
    }


def _digest(said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
