"""`manage.py rotate_keys --signer | --authority | --log | …`: new keys for old, and what the old
are still worth.
"""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.core.errors import ProofsheetError
from provenance.keys import installed_keys
from provenance.rotation import authorities, key_rotation

OVERLAP_DAYS = 30


class Command(BaseCommand):
    help = (
        "Replace the manifests' signing key, the authority that vouches for it, or the log's key; "
        "old signatures go on to verify, unless you say otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self._add_what_is_done(parser)
        self._add_how(parser)

    def _add_what_is_done(self, parser: CommandParser) -> None:
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--signer", action="store_true", help="the key that signs manifests")
        wanted.add_argument(
            "--authority",
            action="store_true",
            help="the installation's own certificate authority, with a new signer under it; what "
            "the old one vouched for stays trusted",
        )
        wanted.add_argument("--log", action="store_true", help="the key that signs checkpoints")
        wanted.add_argument(
            "--revoke",
            metavar="SERIAL",
            help="rely no longer on a certificate from outside, by its serial number in decimal",
        )
        wanted.add_argument(
            "--retire-authority",
            metavar="SHA256",
            help="vouch no longer for what an older authority issued: it reads as unknown",
        )
        wanted.add_argument(
            "--distrust-authority",
            metavar="SHA256",
            help="an older authority's key leaked: from --since on, what it issued reads as bad",
        )
        wanted.add_argument(
            "--destroy-retired",
            action="store_true",
            help="delete the log's private keys whose overlap is over",
        )

    def _add_how(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="with --signer: revoke the old certificate; what it signed is trusted no more. "
            "With --authority: distrust the old one from --since on",
        )
        parser.add_argument(
            "--since",
            type=_past,
            metavar="TIME",
            help="with --distrust-authority or --authority --compromised: until when the key was "
            "surely yours alone, such as 2026-11-24T12:00 (UTC); left out, until now. What the log "
            "or a trusted timestamp shows from before stays good",
        )
        parser.add_argument(
            "--overlap-days",
            type=int,
            default=OVERLAP_DAYS,
            help=f"with --log: how long the old key signs beside the new one ({OVERLAP_DAYS})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["compromised"] and not (options["signer"] or options["authority"]):
            raise CommandError(
                "--compromised goes with --signer or --authority; for the log use --overlap-days 0"
            )
        is_distrusted = options["distrust_authority"] or (
            options["authority"] and options["compromised"]
        )
        if options["since"] and not is_distrusted:
            raise CommandError("--since goes with --distrust-authority or a compromised authority.")
        if options["compromised"] and options["signer"] and installed_keys.has_outside_key():
            raise CommandError("The certificate is from outside: replace it, then use --revoke.")
        if options["overlap_days"] < 0:
            raise CommandError("--overlap-days counts forward.")
        if options["revoke"] and not re.fullmatch(r"[1-9][0-9]{0,59}", options["revoke"]):
            raise CommandError("--revoke takes a serial number in decimal.")
        try:
            self.stdout.write(self._done(options))
        except ProofsheetError as error:
            raise CommandError(str(error)) from error

    def _done(self, options: dict[str, Any]) -> str:
        now = timezone.now()
        since = options["since"] or now
        if options["authority"]:
            rotated = authorities.rotate(
                at=now, distrusted_since=since if options["compromised"] else None
            )
            is_worth = f"distrusted since {since:%Y-%m-%d %H:%M} UTC"
            return (
                f"New authority (SHA-256): {rotated.new}\nOld authority, "
                f"{is_worth if options['compromised'] else 'trusted as before'}: {rotated.old}\n"
                "Tell whoever checks bundles; the log's entry names both."
            )
        if options["retire_authority"]:
            authorities.retire(options["retire_authority"], at=now)
            return f"Nobody vouches for what authority {options['retire_authority']} issued."
        if options["distrust_authority"]:
            authorities.distrust(options["distrust_authority"], since=since, at=now)
            return (
                f"Authority {options['distrust_authority']} counts only for what was there before "
                f"{since:%Y-%m-%d %H:%M} UTC."
            )
        if options["destroy_retired"]:
            return f"{key_rotation.destroy_retired(at=now)} private keys destroyed."
        if options["revoke"]:
            key_rotation.revoke(options["revoke"], at=now)
            return f"What certificate {options['revoke']} signed is trusted no more."
        if options["log"]:
            overlap = timedelta(days=options["overlap_days"])
            rotated = key_rotation.rotate_log_key(at=now, overlap=overlap)
            assert rotated.overlap_until is not None
            return (
                f"New key of the log: {rotated.new}\n"
                f"Old key, signing beside it until {rotated.overlap_until:%Y-%m-%d %H:%M} UTC: "
                f"{rotated.old}\nTell whoever checks the log; /log/keys lists both."
            )
        if installed_keys.has_outside_key():
            rotated = key_rotation.record_outside_signer(at=now)
        else:
            rotated = key_rotation.rotate_signer(at=now, is_compromised=options["compromised"])
        return f"Manifests are signed by {rotated.new} now, in place of {rotated.old}."


def _past(text: str) -> datetime:
    """A time that is over, in UTC. Raises `ArgumentTypeError`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("takes a time such as 2026-11-24T12:00 (UTC)") from error
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    if at > timezone.now():
        raise ArgumentTypeError("lies in the future")
    return at
