"""`manage.py hold`: keep what a court or an authority asks for, whatever else says that it goes."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Model, UUIDField
from django.utils import timezone

from config.core import clock
from config.core.errors import ProofsheetError
from config.core.holds import asking
from config.core.holds.models import HeldKind
from config.core.projects.models import EndUser, Project
from moderation.account_status import legal_holds


def _day(text: str) -> datetime:
    """Its end."""
    try:
        end = timezone.make_aware(datetime.combine(date.fromisoformat(text), time.max))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2027-03-31.") from error
    if end <= clock.now():
        raise ArgumentTypeError(f"{text} is over.")
    return end


class Command(BaseCommand):
    help = (
        "Place a hold on all of an account, a project or an end user, or on one thing: from then "
        "on no owner, no clock and no command erases anything of it. `end` ends it, `list` lists "
        "those that stand. The log is told of each."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="do", required=True)
        place = parts.add_parser("place")
        place.add_argument("kind", choices=HeldKind.values)
        place.add_argument("subject", help="the account's name, or the UUID of anything else")
        place.add_argument("--reason", required=True, help="who asked, and their reference")
        place.add_argument("--until", type=_day, metavar="DAY", help="default: until it is ended")
        place.add_argument("--by", required=True, metavar="ACCOUNT", help="who answers for it")
        end = parts.add_parser("end")
        end.add_argument("hold", type=UUID)
        end.add_argument("--by", required=True, metavar="ACCOUNT")
        parts.add_parser("list")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["do"] == "list":
            for hold in asking.holds(at=clock.now()).order_by("placed_at"):
                until = f" until {timezone.localtime(hold.until):%Y-%m-%d}" if hold.until else ""
                self.stdout.write(f"{hold.id} {hold.kind} {hold.subject}{until}: {hold.reason}")
            return
        by = self._account(options["by"]).get_username()
        try:
            if options["do"] == "end":
                legal_holds.end(options["hold"], by=by, at=clock.now())
                self.stdout.write("It is held no more; what is over goes within the hour.")
                return
            hold = legal_holds.place(
                HeldKind(options["kind"]),
                self._subject(options["kind"], options["subject"]),
                reason=options["reason"], until=options["until"], by=by, at=clock.now(),
            )  # fmt: skip
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{hold.id}: nothing of it goes from now on.")

    def _subject(self, kind: str, told: str) -> object:
        if kind == HeldKind.ACCOUNT:
            return self._account(told).pk
        try:
            subject = UUID(told)
        except ValueError as error:
            raise CommandError(f"{told!r} is no UUID.") from error
        kinds: dict[HeldKind, list[type[Model]]] = {
            HeldKind.PROJECT: [Project],
            HeldKind.END_USER: [EndUser],
        }
        models = kinds.get(
            HeldKind(kind),
            [model for model in apps.get_models() if isinstance(model._meta.pk, UUIDField)],
        )
        if not any(model._default_manager.filter(pk=subject).exists() for model in models):
            raise CommandError(f"There is no {HeldKind(kind).label.lower()} {told}.")
        return subject

    def _account(self, name: str) -> User:
        account = User.objects.filter(username=name).first()
        if account is None:
            raise CommandError(f"There is no account {name!r}.")
        return account
