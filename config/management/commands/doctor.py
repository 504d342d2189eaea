"""`manage.py doctor`: what is wrong with this house, and what to do about it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.doctor import examination
from config.doctor.examination import Examined


class Command(BaseCommand):
    help = (
        "Ask the settings, the database, broker, cache, storage, mail server, keys, log and "
        "workers of this house how they are, and say of each that is not well what to do. Changes "
        "nothing. Exit status 1 where something has to be mended."
    )
    requires_system_checks = []  # they are told among all else

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        answers = []
        for answer in examination.examine():
            answers.append(answer)
            if not options["json"]:
                self._say(answer)
        is_well = all(answer.is_well for answer in answers)
        if options["json"]:
            told = [asdict(answer) | {"is_well": answer.is_well} for answer in answers]
            self.stdout.write(json.dumps({"is_well": is_well, "checks": told}, indent=1))
        if not is_well:
            sys.exit(1)

    def _say(self, answer: Examined) -> None:
        if not answer.was_asked:
            self.stdout.write(f"  ?    {answer.name}: not asked, as the database is away")
        elif not answer.symptoms:
            self.stdout.write(f"  well {answer.name}")
        for symptom in answer.symptoms:
            mark = "note" if symptom.is_harmless else "MEND"
            self.stdout.write(
                f"  {mark} {answer.name}: {symptom.sentence}\n       {symptom.advice}"
            )
