"""`manage.py inspect_adapter FILE [--base NAME] [--json]`: the report of an upload, for a file on
this machine. Exits 0 when the file is accepted and 2 when it is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from adapters.base_models import inspection_base
from adapters.checks import inspection
from adapters.checks.inspection import Base
from adapters.checks.inspection_report import InspectionReport
from adapters.formats.detection import FORMATS
from adapters.formats.target_modules import FAMILIES, FAMILY_NAMES

REFUSED = 2


class Command(BaseCommand):
    help = "Say whether an adapter file fits, and what to do if it does not."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--base", help=f"a registered model, or a family: {', '.join(FAMILIES)}"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        base = self._base(options["base"]) if options["base"] else None
        if options["file"].is_fifo():
            raise CommandError(f"{options['file']} is a pipe: give the name of a file.")
        try:
            report = inspection.inspect(
                options["file"], base=base, limit_bytes=settings.PROOFSHEET_ADAPTER_MAX_BYTES
            ).report
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            self.stdout.write("\n".join(_lines(report)))
        if not report.accepted:
            sys.exit(REFUSED)

    def _base(self, name: str) -> Base:
        if name in FAMILIES:
            return Base.of_family(name)
        try:
            found = inspection_base.find(name)
        except DatabaseError as error:
            raise CommandError(
                f"{name} is no family, and the database of registered models does not answer."
            ) from error
        if found is None:
            raise CommandError(f"{name} is neither a registered model nor a family.")
        return found


def _lines(report: InspectionReport) -> list[str]:
    said = ["accepted" if report.accepted else f"refused: {report.code}", report.message]
    if report.advice:
        said.append(report.advice)
    said.append(f"  format      {FORMATS[report.format]}")
    if report.family:
        said.append(f"  family      {FAMILY_NAMES[report.family]}")
    if report.rank_by_module:
        ranks = report.rank_by_module.values()
        said.append(f"  rank        {min(ranks)} to {max(ranks)}")
        said.append(f"  scaling     {report.alpha['scaling_min']:g} to "
                    f"{report.alpha['scaling_max']:g}")  # fmt: skip
        targets = ", ".join(f"{name} {count}" for name, count in report.targets.items())
        said.append(f"  layers      {targets}")
        said.append(f"  parameters  {report.parameters:,}")
    said.append(f"  tensors     {report.tensors}, {', '.join(report.dtypes) or 'none read'}")
    said.append(f"  bytes       {report.bytes:,}")
    said += [f"  note        {warning}" for warning in report.warnings]
    return said
