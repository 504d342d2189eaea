"""What a first start needs and later starts keep: tables, keys, roles, accounts, the models."""

import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from config.accounts.roles import demo_accounts
from config.accounts.roles.role_permissions import PURPOSES, give_permissions
from config.launch import private_files
from config.mail import developer_mailbox
from provenance.log import own_keys
from provenance.manifests import signing_context

TRIES, PAUSE_S = 10, 3.0


def migrate(*, wait: Callable[[float], None] = time.sleep) -> None:
    """Bring the tables up to date while others work on them: one that is not free within its
    `lock_timeout` is left to them for a while. Raises CommandError.
    """
    for tried in range(1, TRIES + 1):
        try:
            call_command("migrate", interactive=False, verbosity=0)
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            if tried == TRIES:
                raise CommandError(
                    "Not all tables could be changed, for somebody holds a table all the time. "
                    "Nothing was lost, and changes before that one stay. Run this again when "
                    "exports and backups are over."
                ) from error
        wait(PAUSE_S)


class Command(BaseCommand):
    help = "Bring tables, keys, roles, demo accounts, models and static files up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in (settings.MEDIA_ROOT, settings.PROOFSHEET_KEYS_DIR):
            private_files.close(folder)
        self._say("database schema")
        migrate()
        if settings.DATABASE_OWNER_URL:
            call_command("grant_role", settings.DATABASE_ROLE, stdout=StringIO())
        self._say("static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        self._say("signing keys, roles, models")
        own_keys.make()
        signing_context.signer()
        give_permissions()
        call_command("register_starter", verbosity=0)
        if settings.IS_LOCAL:
            self._print_accounts()

    def _say(self, part: str) -> None:
        self.stdout.write(f"· {part}")
        self.stdout.flush()

    def _print_accounts(self) -> None:
        for name, password in demo_accounts.demo_accounts(settings.PROOFSHEET_KEYS_DIR).items():
            self.stdout.write(f"  {name:<6} {password:<14} {PURPOSES[name]}")
        self.stdout.write('\nTry: log in as alice and type "a red apple" in the studio.')
        if settings.EMAIL_BACKEND == developer_mailbox.BACKEND:
            self.stdout.write(
                "Mails are not sent but lie in "
                f"{settings.PROOFSHEET_MAILS_DIR}; olga sees all but others' links at /mails/."
            )
