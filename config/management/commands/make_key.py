"""`manage.py make_key`: an API key for an account, from a shell."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.accounts.api_keys import key_issuing
from config.core.errors import ProofsheetError
from config.models import ApiKey


class Command(BaseCommand):
    help = "Make an API key and print it; it is not shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT")
        parser.add_argument("--name", default="made in a shell", help="so that its owner knows it")
        parser.add_argument(
            "--scope",
            action="append",
            choices=ApiKey.Scope.values,
            help="repeat for several; default: read and generate",
        )
        parser.add_argument("--days", type=int, choices=key_issuing.LIFETIMES_DAYS, default=30)

    def handle(self, *args: Any, **said: Any) -> None:
        owner = User.objects.filter(username=said["account"]).first()
        if owner is None:
            raise CommandError(f"There is no account {said['account']!r}.")
        scopes = said["scope"] or [key_issuing.Scope.READ, key_issuing.Scope.GENERATE]
        try:
            _, key = key_issuing.make(
                by=owner, name=said["name"], scopes=scopes, days=said["days"], at=timezone.now()
            )
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key)
