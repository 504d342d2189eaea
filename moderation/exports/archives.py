"""Exports as one ZIP file each, the same bytes for the same data, and the record of what was taken
out.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from io import BytesIO
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from config.core.errors import ProofsheetError
from config.core.exports import checksums
from moderation.exports import decision_log, transparency_files
from moderation.models import Export

FILES: dict[str, Callable[[transparency_files.Period], Iterable[tuple[str, bytes]]]] = {
    Export.Kind.STATEMENTS: transparency_files.statement_files,
    Export.Kind.TRANSPARENCY: transparency_files.report_files,
    Export.Kind.DECISIONS: decision_log.files,
}
NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP file can say; a clock would change bytes


class NotAnExporter(ProofsheetError):
    """Exports are for compliance staff."""

    default_code = "not_compliance"
    default_message = "Exports are made by compliance staff."
    default_advice = "If you should work here, ask the operator for the role."
    default_status = 403


class KindUnknown(ProofsheetError):
    """There is no export of that kind."""

    default_code = "export_unknown"
    default_message = "There is no such export."
    default_advice = "Choose one of those on the page."
    default_status = 422


def made(*, by: User, project: UUID | None = None) -> QuerySet[Export]:
    """Earlier exports, newest first; of one project, if any is named. Raises NotAnExporter."""
    _check(by)
    rows = Export.objects.select_related("made_by", "project").order_by("-made_at", "-id")
    return rows.filter(project=project) if project else rows


def make(
    kind: str, period: transparency_files.Period, *, by: User, at: datetime
) -> tuple[Export, bytes]:
    """The archive and its record. Raises NotAnExporter, KindUnknown."""
    _check(by)
    if kind not in FILES:
        raise KindUnknown
    data = packed_of(kind, period)
    record = Export.objects.create(
        kind=kind,
        project_id=period.project,
        first=period.first,
        last=period.last,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        made_by=by,
        made_at=at,
        ready_at=at,
    )
    return record, data


def packed_of(kind: str, period: transparency_files.Period) -> bytes:
    """The archive of a kind that there is."""
    return packed(dict(FILES[kind](period)))


def packed(files: dict[str, bytes]) -> bytes:
    """A ZIP file with SHA256SUMS, without a clock and without compression, so that no version of a
    library can change its bytes.
    """
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted({**files, "SHA256SUMS": checksums.sha256sums(files)}.items()):
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), data)
    return out.getvalue()


def _check(by: User) -> None:
    if not by.has_perm("moderation.export_reports"):
        raise NotAnExporter
