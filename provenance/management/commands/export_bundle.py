"""`manage.py export_bundle IMAGE_ID --out FILE [--image FILE]`: a proof for use without us."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.core.errors import ProofsheetError
from provenance.offline import bundle_export


class Command(BaseCommand):
    help = "Write all that proves one picture into one file, for python -m provenance.offline."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("image_id", type=UUID)
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--image", type=Path, help="the signed file, to put it in as well")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            image = options["image"].read_bytes() if options["image"] else None
            data = bundle_export.bundle_of(options["image_id"], image=image)
            options["out"].write_bytes(data)
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from error
        self.stdout.write(f"{options['out']}: {len(data)} bytes.")
