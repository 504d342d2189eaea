"""`manage.py create_operator`: whoever signs in first, where no demo account is made."""

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from config.accounts.roles import role_changes

ROLE = "operators"


class Command(BaseCommand):
    help = (
        "Create the house's first operator; the log is told. The password is asked for twice, or "
        "is the first line of what comes by a pipe. Further people are given roles by two."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **said: Any) -> None:
        name, email = said["name"], said["email"]
        if User.objects.filter(groups__name=ROLE, is_active=True).exists():
            raise CommandError(
                "There is an operator already. People are given roles by two, on the page of roles."
            )
        account = User(username=name, email=email, is_staff=True)
        try:
            validate_email(email)
            account.clean_fields(exclude=["password"])
            account.validate_unique()
            password = self._password()
            validate_password(password, account)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        with transaction.atomic():
            account.set_password(password)
            account.save()
            role_changes.appoint(account, kind=role_changes.Kind.GIVE, role=ROLE, at=timezone.now())
        self.stdout.write(f"{name} operates this house. Sign in, and set up the second factor.")

    def _password(self) -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        password = getpass("Password: ")
        if getpass("Once more: ") != password:
            raise CommandError("These are two different passwords.")
        return password
