"""`manage.py conformance_evidence FOLDER`: what C2PA's conformance programme asks for."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.core.errors import ProofsheetError
from provenance.assets import conformance_evidence


class Command(BaseCommand):
    help = (
        "Write samples of each media type with crJSON, samples made from other pictures, what the "
        "certificate keeps of the profile, and the beginning of the architecture document."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder that is not there yet, or is empty")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty.")
        try:
            files = conformance_evidence.package(at=timezone.now())
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.stdout.write(f"{len(files)} files in {folder}; the SBOM is made by `make sbom`.")
