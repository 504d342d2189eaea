"""Log lines without what people wrote: prompts stay in the database."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from config.core.watching import request_ids, tracing
from config.core.watching.instruments import LOG_LINES, bounded


class PromptFreeFormatter(logging.Formatter):
    """One line a record, with its traceback. PostgreSQL quotes the refused row after "DETAIL:",
    prompt included, and a prompt has lines of its own: all of them are left out.
    """

    def format(self, record: logging.LogRecord) -> str:
        told = super().format(record)
        for detail in _details_of(record.exc_info[1] if record.exc_info else None):
            told = told.replace(detail, "")
        lines = told.splitlines()
        return "\n".join(line for line in lines if not line.lstrip().startswith("DETAIL:"))


class JsonFormatter(PromptFreeFormatter):
    """One JSON object a line, for those who collect them: the same words, with the ids of the HTTP
    request and of the trace that the line belongs to."""

    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        message, _, trace = super().format(record).partition("\n")
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        said |= about() | getattr(record, "said", {})
        if trace:
            said["details"] = trace
        return json.dumps(said, ensure_ascii=False)


class LineCounter(logging.Handler):
    """Counts the lines of the process by their level."""

    def emit(self, record: logging.LogRecord) -> None:
        LOG_LINES.labels(bounded("level", record.levelname.lower())).inc()


def about() -> dict[str, object]:
    """What the line that is written now belongs to; empty outside of any."""
    request_id = request_ids.current()
    return ({"request_id": request_id} if request_id else {}) | tracing.ids()


def _details_of(error: BaseException | None) -> Iterator[str]:
    """What PostgreSQL said in particular, of an error and of those behind it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for part in (error, error.__context__):
            if isinstance(part, psycopg.Error):
                yield from filter(None, (part.diag.message_detail, part.diag.context))
        error = error.__cause__ or error.__context__
