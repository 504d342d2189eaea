"""Log lines without what people wrote: prompts stay in the database."""

import logging
from collections.abc import Iterator

import psycopg


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


def _details_of(error: BaseException | None) -> Iterator[str]:
    """What PostgreSQL said in particular, of an error and of those behind it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for part in (error, error.__context__):
            if isinstance(part, psycopg.Error):
                yield from filter(None, (part.diag.message_detail, part.diag.context))
        error = error.__cause__ or error.__context__
