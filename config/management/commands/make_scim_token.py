"""`manage.py make_scim_token`: the token with which an identity provider speaks SCIM."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.accounts.single_sign_on.scim import scim_tokens


class Command(BaseCommand):
    help = "Make a SCIM token and show it once, or revoke one by how it begins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="identity provider")
        parser.add_argument("--days", type=int, default=365, help="until its end (at most 730)")
        parser.add_argument("--revoke", metavar="HINT", help="such as ps_scim_AbCd")

    def handle(self, *args: Any, **said: Any) -> None:
        if said["revoke"]:
            if not scim_tokens.revoke(said["revoke"], at=timezone.now()):
                raise CommandError("No good token begins so.")
            self.stdout.write("Revoked.")
            return
        if not 1 <= said["days"] <= 730:
            raise CommandError("--days is from 1 to 730.")
        row, token = scim_tokens.make(name=said["name"], days=said["days"], at=timezone.now())
        self.stdout.write(token)
        self.stderr.write(f"It speaks SCIM until {row.expires_at:%d %B %Y}, and is shown only now.")
