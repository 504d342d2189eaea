"""`manage.py mark_archive FOLDER`: marks and log entries for pictures made before; resumable."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.core.errors import ProofsheetError
from provenance.assets import archive, transcode
from provenance.pictures.decoder import Mime

REPORT = "archive-report.json"
BAR = 30


class Command(BaseCommand):
    help = "Write a marked copy of every picture in a folder, and say when and why it was marked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--out", type=Path, help="for the copies; FOLDER/marked if not given")
        parser.add_argument(
            "--model", default="not observed", help="what is said to have made them"
        )
        parser.add_argument(
            "--format",
            default="png",
            choices=[*transcode.FORMATS, "same"],
            help="of the copies (png); “same” keeps each picture's own",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        out: Path = options["out"] or folder / "marked"
        began_at = timezone.now()
        try:
            out.mkdir(parents=True, exist_ok=True)
            mime = transcode.FORMATS.get(options["format"])
            results = self._mark(archive.sources(folder, out=out), out, options["model"], mime)
            (out / REPORT).write_text(_report(results, began_at))
        except (ProofsheetError, OSError) as error:
            raise CommandError(f"{error} Run it again to go on from here.") from error
        counts = Counter(result.outcome for result in results)
        self.stdout.write(
            f"{counts['marked']} marked, {counts['marked_before']} marked before, "
            f"{counts['unreadable']} unreadable; see {out / REPORT}.\n{archive.STATEMENT}"
        )

    def _mark(
        self, sources: Sequence[Path], out: Path, model: str, mime: Mime | None
    ) -> list[archive.Archived]:
        results = []
        for number, source in enumerate(sources, 1):
            results.append(archive.mark(source, out=out, model=model, at=timezone.now(), mime=mime))
            self._progress(number, len(sources), source.name)
        return results

    def _progress(self, done: int, total: int, name: str) -> None:
        """A bar on a terminal; elsewhere one line for each tenth."""
        if self.stdout.isatty():
            bar = ("#" * (BAR * done // total)).ljust(BAR)
            ending = "\n" if done == total else "\r"
            self.stdout.write(f"[{bar}] {done}/{total} {name[:40]:<40}", ending=ending)
        elif done == total or done * 10 // total != (done - 1) * 10 // total:
            self.stdout.write(f"{done}/{total}")


def _report(results: Sequence[archive.Archived], began_at: datetime) -> str:
    told = {
        "statement": archive.STATEMENT,
        "began_at": began_at.astimezone(UTC).isoformat(timespec="seconds"),
        "ended_at": timezone.now().astimezone(UTC).isoformat(timespec="seconds"),
        "pictures": [asdict(result) for result in results],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
