"""Mail of a house on one host: into a folder, which the developer reads on a page, never a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from time import time_ns
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

BACKEND = "config.mail.ToFolder"
SHOWN_MAX = 50


class ToFolder(BaseEmailBackend):
    """Writes each message into `PROOFSHEET_MAILS_DIR` (mode 0600) instead of sending it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder: Path = settings.PROOFSHEET_MAILS_DIR
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            path = folder / f"{time_ns():020}-{uuid4().hex[:8]}.eml"
            path.touch(mode=0o600)
            path.write_bytes(message.message().as_bytes())
        return len(email_messages)


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    to: str
    date: str
    text: str


def newest() -> list[Mail]:
    """The newest of the folder, the last first."""
    paths = sorted(settings.PROOFSHEET_MAILS_DIR.glob("*.eml"), reverse=True)[:SHOWN_MAX]
    return [_read(path) for path in paths]


def _read(path: Path) -> Mail:
    found = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = found.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    return Mail(str(found["Subject"]), str(found["To"]), str(found["Date"]), text)
