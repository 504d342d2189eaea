"""`manage.py appoint`: the first people of a house, before there are two to change roles."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.accounts.roles import role_changes
from config.accounts.roles.role_permissions import PERMISSIONS
from config.core.errors import ProofsheetError


class Command(BaseCommand):
    help = "Give an account a role, or take it, from a shell; the log and its person are told."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT")
        parser.add_argument("role", choices=list(PERMISSIONS))
        parser.add_argument("--take", action="store_true", help="take it away")

    def handle(self, *args: Any, **said: Any) -> None:
        account = User.objects.filter(username=said["account"]).first()
        if account is None:
            raise CommandError(f"There is no account {said['account']!r}.")
        kind = role_changes.Kind.TAKE if said["take"] else role_changes.Kind.GIVE
        try:
            role_changes.appoint(account, kind=kind, role=said["role"], at=timezone.now())
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{account}: {kind.label} {said['role']!r}")
