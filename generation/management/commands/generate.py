"""`manage.py generate`: the way of the web, from a shell."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from argparse import RawDescriptionHelpFormatter
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.core.errors import ProofsheetError
from generation.line import place_in_line
from generation.models import GenerationRequest, RequestStatus
from generation.progress import previews
from generation.request_rules.parameters import RequestParameters
from generation.requests import submitting
from generation.studio import own_requests, results
from generation.studio.results import RequestResult

BAD_INPUT, POLICY, UNDONE, FAILED, CANCELLED = 1, 3, 4, 5, 6
EXITS = """exit status:
  0  the image is released (and written to --out)
  1  the request is not valid: the code and one sentence say why
  2  the command line is not understood
  3  the prompt or the image was refused or is held; the code says which
  4  no worker is alive, or it took longer than --timeout; the request still stands
  5  the request failed; the code says why
  6  cancelled, here by Ctrl-C or elsewhere
"""


class Command(BaseCommand):
    help = (
        "Make one image the way the web does: screened, marked, logged, "
        "and kept in the user's gallery."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.epilog = EXITS
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prompt", metavar="PROMPT", help="what the picture should show")
        parser.add_argument("--negative-prompt", default="", metavar="TEXT")
        parser.add_argument("--model", metavar="SLUG", help="default: the default model")
        parser.add_argument(
            "--visible-label",
            metavar="CORNER",
            help="such as bottom-right, or none; default: the operator's usual one",
        )
        parser.add_argument(
            "--adapter",
            action="append",
            default=[],
            metavar="SLUG[:WEIGHT]",
            help="may be given up to four times; the weight is 1 when left out",
        )
        parser.add_argument("--seed", type=int, metavar="N", help="default: random")
        parser.add_argument("--steps", type=int, metavar="N")
        parser.add_argument("--guidance", type=float, metavar="X")
        parser.add_argument("--user", metavar="NAME", help="whose it is (default: alice)")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write the PNG here")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--timeout", type=float, default=600.0, metavar="SECONDS", help="default: 600"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._options = options
        self._told = ""
        try:
            user = _user(options["user"])
            _check_out(options["out"])
            parameters = _parameters(options)
            made = submitting.submit(parameters, by=user, at=timezone.now()).request
        except ProofsheetError as error:
            self._stop(error.code, str(error), exit_status=BAD_INPUT)
        outcome = self._wait(made, user)
        self._tell_outcome(outcome)

    def _wait(self, made: GenerationRequest, user: User) -> RequestResult:
        try:
            return results.wait_for(
                made.id,
                by=user,
                now=timezone.now,
                sleep=time.sleep,
                timeout=timedelta(seconds=self._options["timeout"]),
                look=self._look,
            )
        except ProofsheetError as error:
            self._stop(error.code, str(error), exit_status=UNDONE, said={"request": str(made.id)})
        except KeyboardInterrupt:
            own_requests.cancel(made.id, by=user, at=timezone.now())
            self._stop(
                "cancelled", "Cancelled.", exit_status=CANCELLED, said={"request": str(made.id)}
            )

    def _look(self, request: GenerationRequest) -> None:
        """One line on the error stream for each change, so that the output stays the result."""
        line = _line(request)
        if line != self._told and not self._options["json"]:
            self._told = line
            self.stderr.write(line, self.style.NOTICE)

    def _tell_outcome(self, outcome: RequestResult) -> None:
        said = _said(outcome)
        if not outcome.is_released:
            status = POLICY if outcome.is_stopped_by_policy else FAILED
            if outcome.code == "cancelled":
                status = CANCELLED
            self._stop(outcome.code, outcome.sentence, exit_status=status, said=said)
        assert outcome.image is not None
        if out := self._options["out"]:
            out.write_bytes(outcome.image.file.read())
            said["file"] = str(out)
        if self._options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            self.stdout.write(f"{outcome.sentence} seed {outcome.image.seed}, {said['url']}")

    def _stop(
        self, code: str, sentence: str, *, exit_status: int, said: dict[str, Any] | None = None
    ) -> NoReturn:
        said = said or {}
        if self._options["json"]:
            self.stdout.write(json.dumps({"message": sentence} | said | {"code": code}))
            sys.exit(exit_status)
        where = f" {said['statement_url']}" if "statement_url" in said else ""
        raise CommandError(f"{code}: {sentence}{where}", returncode=exit_status)


class UserUnknown(ProofsheetError):
    default_code = "user_unknown"
    default_message = "There is no such user."
    default_advice = "Name one with --user."


class AdapterUnreadable(ProofsheetError):
    default_code = "adapter_unreadable"
    default_message = "An adapter is written SLUG or SLUG:WEIGHT, such as flat:0.8."
    default_advice = ""


class OutNotWritable(ProofsheetError):
    default_code = "out_not_writable"
    default_message = "The file for --out cannot be written there."
    default_advice = "Choose a file in a folder that exists and that you may write to."


def _user(name: str | None) -> User:
    wanted = name or ("alice" if settings.IS_LOCAL else "")
    user = User.objects.filter(username=wanted, is_active=True).first()
    if user is None:
        raise UserUnknown
    return user


def _check_out(out: Path | None) -> None:
    """Before anything is made: an image that cannot be written would be made for nothing."""
    if out and (out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK)):
        raise OutNotWritable


def _parameters(options: dict[str, Any]) -> RequestParameters:
    names = ("prompt", "negative_prompt", "model", "seed", "steps", "guidance", "visible_label")
    adapters = tuple(_adapter(text) for text in options["adapter"])
    return RequestParameters(**{name: options[name] for name in names}, adapters=adapters)


def _adapter(text: str) -> tuple[str, float]:
    slug, _, weight = text.partition(":")
    try:
        strength = float(weight) if weight else 1.0
    except ValueError as error:
        raise AdapterUnreadable from error
    if not slug or not math.isfinite(strength):
        raise AdapterUnreadable
    return slug, strength


def _line(request: GenerationRequest) -> str:
    match request.status:
        case RequestStatus.SUBMITTED:
            return "screening the prompt"
        case RequestStatus.QUEUED:
            return f"waiting in line, place {place_in_line.position(request)}"
    now = previews.read(request.id)
    return f"step {now.step} of {now.steps}" if now else "starting"


def _said(outcome: RequestResult) -> dict[str, Any]:
    """The JSON of an outcome."""
    request, image = outcome.request, outcome.image
    said: dict[str, Any] = {
        "request": str(request.id),
        "status": request.status,
        "code": outcome.code,
        "seed": request.seed,
    }
    if image:
        said |= {
            "image": str(image.id),
            "image_status": image.state,
            "sha256": image.sha256,
            "url": f"{settings.PUBLIC_URL}/images/{image.id}/",
        }
    if outcome.statement_path:
        said["statement_url"] = f"{settings.PUBLIC_URL}{outcome.statement_path}"
    return said
