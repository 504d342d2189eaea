"""Log lines without what people wrote: prompts stay in the database."""

import logging


class Line(logging.Formatter):
    """One line a record, with its traceback. PostgreSQL quotes the refused row after "DETAIL:",
    prompt included: those lines are left out.
    """

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).splitlines()
        return "\n".join(line for line in lines if not line.lstrip().startswith("DETAIL:"))
