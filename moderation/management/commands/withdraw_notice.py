"""`manage.py withdraw_notice ADDRESS`: a public address that shows nothing from now on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.core import clock
from config.core.errors import ProofsheetError
from moderation.public_notices import addresses


class Command(BaseCommand):
    help = "Withdraw a public address of a refusal or a hold; whoever asks then gets another."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", help="as it was given to somebody, or its token alone")

    def handle(self, *, address: str, **_: Any) -> None:
        token = address.rstrip("/").removesuffix("/appeal").rpartition("/")[2]
        now = clock.now()
        try:
            addresses.withdraw(addresses.find(token, at=now), at=now)
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Withdrawn.")
