"""`manage.py check_certificate [FILE]`: exit 0 where it keeps C2PA's profile, 1 where not, 2
unreadable.
"""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.core.errors import ProofsheetError
from provenance.keys import certificates, leaf_profile
from provenance.keys.installed_keys import keyring

KEPT, MISSED, UNREADABLE = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Read the certificate that signs manifests, or one in a PEM file, against C2PA's profile "
        "of claim signing leaves (assurance level 1), rule by rule."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="a PEM file, the leaf first")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        try:
            chain = path.read_text() if path else keyring().certificate_chain_pem
            leaf = certificates.leaf_of(chain)
            rules = leaf_profile.rules(leaf)
        except (OSError, ProofsheetError, *certificates.UNREADABLE) as error:
            self.stderr.write(f"The certificate cannot be read: {error}")
            sys.exit(UNREADABLE)
        self.stdout.write(f"{leaf.subject.rfc4514_string()}, until {leaf.not_valid_after_utc:%F}")
        for rule in rules:
            missed = "misses" if rule.is_must else "better"
            self.stdout.write(f"  {'keeps' if rule.is_kept else missed}  {rule.sentence}")
        misses = [rule for rule in rules if rule.is_must and not rule.is_kept]
        if misses:
            self.stdout.write(
                f"{len(misses)} rules are missed. No certificate of the house's own authority "
                "keeps them all: docs/operate/keys.md says how one from outside is used."
            )
            sys.exit(MISSED)
        self.stdout.write("It keeps every rule.")
