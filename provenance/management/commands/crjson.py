"""`manage.py crjson FILE`: exit 0 with the report on standard output, 1 without credentials."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.core.errors import ProofsheetError
from provenance.keys.installed_keys import keyring
from provenance.manifests import other_formats
from provenance.manifests.containers import ManifestUnreadable
from provenance.manifests.content_credentials import Reader, Trust
from provenance.manifests.signing_context import signer
from provenance.pictures import decoder


class Command(BaseCommand):
    help = (
        "Validate a file's Content Credentials and print crJSON, as C2PA's conformance programme "
        "asks of a validator. The time of the validation is now."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--trust-list",
            type=Path,
            help="authorities of signers as PEM, in place of this house's",
        )
        parser.add_argument("--tsa-list", type=Path, help="authorities of timestamps as PEM")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = options["file"].read_bytes()
            told = {name: options[name] for name in ("trust_list", "tsa_list")}
            pems = {name: path.read_text() for name, path in told.items() if path}
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        try:
            reader: Reader = signer()
            if pems:
                signers = pems.get("trust_list") or keyring().anchors_pem
                reader = Reader(Trust(signers, pems.get("tsa_list", "")))
            self.stdout.write(reader.crjson(data, mime_of(data)))
        except ManifestUnreadable as error:
            self.stderr.write(str(error))
            sys.exit(1)
        except ProofsheetError as error:
            raise CommandError(str(error)) from error


def mime_of(data: bytes) -> other_formats.AssetMime:
    """Raises PictureUnreadable where no such file is read."""
    return other_formats.mime_of(data) or decoder.mime_of(data)
