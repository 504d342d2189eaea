"""The digest that pins the folder of a classifier of one's own in a setting."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from moderation.classifiers import chosen


class Command(BaseCommand):
    help = "Print the digest that pins a classifier's folder in the settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        self.stdout.write(chosen.digest(folder))
