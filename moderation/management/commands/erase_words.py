"""`manage.py erase_words ACCOUNT`: erase what a person wrote from the evidence about them."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.core.holds.asking import UnderHold
from moderation.account_status import erasing


class Command(BaseCommand):
    help = (
        "Erase a person's prompts, appeals and reports from cases and decisions that are closed. "
        "What was decided, when and by which rule stays; the log keeps that words were erased."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT")

    def handle(self, *args: Any, **said: Any) -> None:
        person = User.objects.filter(username=said["account"]).first()
        if person is None:
            raise CommandError(f"There is no account {said['account']!r}.")
        try:
            erased = erasing.erase_words(person, at=timezone.now())
        except UnderHold as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Erased the words of {erased} rows about {person}.")
