"""Register a base model: `manage.py register_model SLUG --folder DIR`, or from the local hub cache
with `--hub ID --revision SHA`."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from adapters.base_models import registration
from adapters.models import Family, Tier
from config.core.errors import ProofsheetError


def size(text: str) -> tuple[int, int]:
    """(width, height) in pixels, from text such as 512x768. Raises ArgumentTypeError."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is no size: write for example 512x768.")
    return int(found[1]), int(found[2])


class Command(BaseCommand):
    help = "Register a base model from its folder. Reads its configuration; loads no weights."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the name that requests use, such as sdxl-base")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--folder", type=Path, help="a diffusers pipeline folder")
        source.add_argument("--hub", metavar="ID", help="a model in the local hub cache")
        parser.add_argument("--revision", help="the pinned commit of --hub")
        parser.add_argument("--name", help="what people read")
        parser.add_argument("--family", choices=Family.values)
        parser.add_argument("--tier", choices=Tier.values)
        parser.add_argument("--size", type=size, action="append", metavar="WxH")
        parser.add_argument("--steps", type=int)
        parser.add_argument("--guidance", type=float)
        parser.add_argument("--rank-ceiling", type=int)
        parser.add_argument("--licence")
        parser.add_argument("--default", action="store_true", help="offer it first")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"] or self._cached(options["hub"], options["revision"])
        details = registration.ModelDetails(
            name=options["name"],
            family=options["family"],
            sizes=tuple(options["size"]) if options["size"] else None,
            default_steps=options["steps"],
            default_guidance=options["guidance"],
            rank_ceiling=options["rank_ceiling"],
            tier=options["tier"],
            hub_id=options["hub"],
            hub_revision=options["revision"],
            licence=options["licence"],
            is_default=options["default"],
        )
        try:
            model = registration.register_model(options["slug"], folder, details, at=timezone.now())
        except ProofsheetError as error:
            raise CommandError(str(error)) from error
        layers = sum(len(layers) for layers in model.architecture.components.values())
        self.stdout.write(
            f"{model.slug}: {model.get_family_display()}, {layers} layers, rank up to "
            f"{model.rank_ceiling}, {model.memory_mib} MiB, {model.get_tier_display()}"
        )

    def _cached(self, hub_id: str, revision: str | None) -> Path:
        """The folder of a pinned revision in the local cache; nothing is ever downloaded."""
        if not revision or not re.fullmatch(r"[0-9a-f]{40}", revision):
            raise CommandError("Pin the model: --revision takes the 40 hex digits of a commit.")
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(hub_id, revision=revision, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError) as error:
            raise CommandError(
                f"{hub_id} at {revision[:12]} is not in the local cache. Download it there first."
            ) from error
