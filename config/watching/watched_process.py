"""What a process is watched by, from its start."""

from __future__ import annotations

from config.watching import error_reports, own_port, trace_export


def begin(kind: str, lacking: own_port.Lacking) -> None:
    """Once in a process, of a kind that has ports. Ends it where a package is missing that a
    setting needs.
    """
    error_reports.begin(kind)
    trace_export.begin(kind)
    own_port.open_for(kind, lacking)
