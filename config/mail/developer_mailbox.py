"""Mail of a house on one host: into a folder, which its developer reads in a shell, never a log.

On the page an operator follows the links of her own mails alone: they lead into accounts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.utils import getaddresses
from pathlib import Path
from time import time_ns
from uuid import uuid4

from allauth.account.utils import filter_users_by_email
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

BACKEND = "config.mail.developer_mailbox.ToFolder"
SHOWN_MAX = 50
BLANK = "[a link for its person alone]"
_LINK = re.compile(r"\S*(?:://|/accounts/)\S*")


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
    """A mail as the page shows it."""

    subject: str
    to: str
    date: str
    text: str


def newest(*, reader: User) -> list[Mail]:
    """The newest of the folder, the last first; without the links of what went to others."""
    paths = sorted(settings.PROOFSHEET_MAILS_DIR.glob("*.eml"), reverse=True)[:SHOWN_MAX]
    return [_shown(_read(path), reader=reader) for path in paths]


def _shown(mail: Mail, *, reader: User) -> Mail:
    if _is_for(reader, mail.to):
        return mail
    return replace(mail, subject=_without_links(mail.subject), text=_without_links(mail.text))


def _is_for(reader: User, to: str) -> bool:
    """Whether the reader alone has that address: others may have given the same."""
    addresses = [address for _, address in getaddresses([to])]
    return len(addresses) == 1 and filter_users_by_email(addresses[0]) == [reader]


def _without_links(text: str) -> str:
    return _LINK.sub(BLANK, text)


def _read(path: Path) -> Mail:
    found = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = found.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    return Mail(str(found["Subject"]), str(found["To"]), str(found["Date"]), text)
