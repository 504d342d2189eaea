"""Reports: assembled from what is stored, kept with the digests of their files, and logged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from config.core.errors import ProofsheetError
from moderation.audits.models import Audit, AuditFile, AuditRun
from moderation.audits.tables import audit_report as reports
from moderation.audits.tables import renditions
from moderation.audits.tables.audit_report import AuditReport
from provenance.log import transparency_log

NOTHING: Mapping[str, bytes] = {}


class AuditNotFound(ProofsheetError):
    """There is no audit of that number, or no such file of it."""

    default_code = "audit_not_found"
    default_message = "There is no such audit."
    default_advice = "The list of audits shows what there is."
    default_status = 404


def find(audit_id: UUID) -> Audit:
    """Raises AuditNotFound."""
    found = Audit.objects.select_related("made_by").filter(pk=audit_id).first()
    if found is None:
        raise AuditNotFound
    return found


@transaction.atomic
def keep(
    made: AuditReport,
    *,
    scope: str,
    at: datetime,
    by: User | None = None,
    run: AuditRun | None = None,
    ended_on: date | None = None,
    project: UUID | None = None,
    is_scheduled: bool = False,
    beside: Mapping[str, bytes] = NOTHING,
) -> Audit:
    """Freeze a report: store it and what goes `beside` it, with the digests, and log these."""
    files = {**renditions.files(made), **beside}
    audit = Audit.objects.create(
        kind=made.kind,
        title=made.title[:200],
        scope=scope[:120],
        document=files["report.json"].decode(),
        digests={name: reports.sha256(data) for name, data in files.items()},
        ended_on=ended_on,
        project_id=project,
        is_scheduled=is_scheduled,
        has_alarm=has_alarm(made),
        run=run,
        made_by=by,
        made_at=at,
    )
    AuditFile.objects.bulk_create(
        AuditFile(audit=audit, name=name, data=data)
        for name, data in files.items()
        if name != "report.json"
    )
    body = {"audit": made.kind, "files": dict(sorted(audit.digests.items()))}
    transparency_log.append(kind="audit.report", subject=audit.id, body=body, at=at)
    return audit


def compared(before: Audit | None) -> tuple[str, str]:
    """What drift is measured from, as the report names it."""
    if before is None:
        return "Drift measured from", "No earlier report"
    return "Drift measured from", f"{before.title}, SHA-256 {before.digests['report.json']}"


def has_alarm(made: AuditReport) -> bool:
    """Whether a primary contrast drifted: what compliance is told of on the list of audits."""
    return any(finding.code == "drift" for finding in made.findings)


def files_of(audit: Audit) -> dict[str, bytes]:
    """The audit's files as they were frozen. Raises AuditAltered where one differs.

    Audits from before files were kept are drawn again.
    """
    files = {"report.json": audit.document.encode()}
    files |= {row.name: bytes(row.data) for row in audit.files.order_by("id")}
    if len(files) == 1:
        files = renditions.files(reports.decode(audit.document))
    altered = [name for name in files if audit.digests.get(name) != reports.sha256(files[name])]
    if altered:
        raise AuditAltered(message=f"Not as they were logged: {', '.join(altered)}.")
    return files


class AuditAltered(ProofsheetError):
    """What is stored does not give the files whose digests were logged."""

    default_code = "audit_altered"
    default_message = "This audit is not as it was when it was logged."
    default_advice = "Do not rely on it; tell the operator."
    default_status = 409
