"""The command line: `proofsheet generate "a red apple" -o apple.png`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from proofsheet.answers import Answer
from proofsheet.client import Client
from proofsheet.errors import Held, HouseError, Refused

EPILOG = """\
The house's address and a key of yours are taken from PROOFSHEET_URL and PROOFSHEET_KEY, or from
--url and --key. It exits with 0 when all went well, 1 for an error, 2 for a wrong command line,
3 for a refusal or a hold (whose reasons and appeal it prints), 4 for a file that is not proved.
"""
Act = Callable[[Client, argparse.Namespace], int | None]
OF_THE_API = ("model", "seed", "count", "negative_prompt", "adapters", "picture")


def main(words: Sequence[str] | None = None) -> int:
    """The exit status."""
    options = _parser().parse_args(words)
    try:
        with Client(options.url, options.key) as house:
            return int(options.act(house, options) or 0)
    except (Refused, Held) as error:
        print(error, file=sys.stderr)
        for refusal in error.generation.refusals:
            print(f'Contest it: proofsheet appeal {refusal.statement} "why"', file=sys.stderr)
        return 3
    except (HouseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _generate(house: Client, options: argparse.Namespace) -> None:
    named = {name: getattr(options, name) for name in OF_THE_API}
    named["width"], named["height"] = options.size
    said = {name: value for name, value in named.items() if value is not None}
    made = house.submit(options.prompt, **said)
    for now in house.follow(made):
        made, place = now, f", place {now.position}" if now.position else ""
        print(f"· {made.status}{place}", file=sys.stderr)
    if problem := made.problem():
        raise problem
    output, is_one = options.output, len(made.released) == 1
    for number, image in enumerate(made.released, 1):
        print(image.save(output if is_one else output.with_stem(f"{output.stem}-{number}")))


def _models(house: Client, options: argparse.Namespace) -> None:
    for model in house.models():
        sizes = " ".join(f"{size['width']}x{size['height']}" for size in model["sizes"])
        print(f"{model['slug']:<24} {sizes}")


def _verify(house: Client, options: argparse.Namespace) -> int:
    report = house.verify(options.file)
    print(report.headline)
    for mark, verdict in report.verdicts.items():
        print(f"  {mark:<12} {verdict.replace('_', ' ')}")
    return 0 if report.is_ours else 4


def _appeal(house: Client, options: argparse.Namespace) -> None:
    lodged = house.appeal(options.statement, options.grounds)
    print(f"Appeal {lodged['id']} is lodged, and is heard by {lodged['due_at'][:10]}.")


def _show(house: Client, options: argparse.Namespace) -> None:
    _print(house.generation(options.id))


def _statement(house: Client, options: argparse.Namespace) -> None:
    _print(house.statement(options.statement))


def _print(answer: Answer) -> None:
    print(json.dumps(answer.raw, indent=1, ensure_ascii=False))


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    return int(width), int(height)


def _adapter(text: str) -> dict[str, Any]:
    slug, _, weight = text.partition(":")
    return {"slug": slug, "weight": float(weight or 1)}


def _parser() -> argparse.ArgumentParser:
    kind, env = argparse.RawDescriptionHelpFormatter, os.environ.get
    parser = argparse.ArgumentParser(
        prog="proofsheet", description=__doc__, epilog=EPILOG, formatter_class=kind
    )
    parser.add_argument("--url", default=env("PROOFSHEET_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--key", default=env("PROOFSHEET_KEY", ""))
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, act: Act, text: str, *arguments: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.set_defaults(act=act)
        for argument in arguments:
            made.add_argument(argument)
        return made

    add = verb("generate", _generate, "make images and save them", "prompt").add_argument
    how = "its ending chooses png, jpeg or webp; picture.png when left out"
    add("-o", "--output", type=Path, default=Path("picture.png"), help=how)
    add("--model", help="a slug of `proofsheet models`")
    add("--size", type=_size, metavar="WxH", default=(None, None))
    add("--seed", type=int)
    add("--count", type=int, help="1 to 4 images")
    add("--not", dest="negative_prompt", help="what it should not show")
    add("--adapter", dest="adapters", type=_adapter, action="append", metavar="SLUG[:WEIGHT]")
    add("--from", dest="picture", metavar="FILE", help="start from a picture")
    verb("show", _show, "print a generation as JSON", "id")
    verb("verify", _verify, "say what can be proved about a picture", "file")
    verb("statement", _statement, "print a statement of reasons as JSON", "statement")
    lodging = verb("appeal", _appeal, "contest a refusal by its statement's id", "statement")
    lodging.add_argument("grounds", help="why the decision is wrong")
    verb("models", _models, "list the models with their sizes")
    return parser
