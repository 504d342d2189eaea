"""The command line: `proofsheet generate "a red apple" -o apple.png`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proofsheet.answers import Generation
from proofsheet.client import Client
from proofsheet.errors import Held, HouseError, Refused

EPILOG = """\
The house's address and a key of yours are taken from PROOFSHEET_URL and PROOFSHEET_KEY, or from
--url and --key. It exits with 0 when all went well, 1 for an error, 2 for a wrong command line,
3 for a refusal or a hold (whose reasons and appeal it prints), 4 for a file that is not proved.
"""


def main(words: Sequence[str] | None = None) -> int:
    """The exit status."""
    options = _parser().parse_args(words)
    try:
        with Client(options.url, options.key) as house:
            return int(options.act(house, options))
    except (Refused, Held) as error:
        print(error, file=sys.stderr)
        for refusal in error.generation.refusals:
            print(f'Contest it: proofsheet appeal {refusal.statement} "why"', file=sys.stderr)
        return 3
    except (HouseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _generate(house: Client, options: argparse.Namespace) -> int:
    more = {name: getattr(options, name) for name in ("model", "seed", "count", "negative_prompt")}
    said = {name: value for name, value in more.items() if value is not None}
    if options.size:
        said["width"], said["height"] = options.size
    if options.adapter:
        said["adapters"] = options.adapter
    if options.start_from:
        said["picture"] = options.start_from
    made = house.submit(options.prompt, **said)
    for now in house.follow(made):
        made, place = now, f", place {now.position}" if now.position else ""
        print(f"· {made.status}{place}", file=sys.stderr)
    if problem := made.problem():
        raise problem
    for where, image in zip(_places(options.output, made), made.released, strict=True):
        print(image.save(where))
    return 0


def _places(output: Path, made: Generation) -> list[Path]:
    """`apple.png`, or `apple-1.png`, `apple-2.png` for several."""
    if len(made.released) == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{n + 1}") for n in range(len(made.released))]


def _show(house: Client, options: argparse.Namespace) -> int:
    _print(house.generation(options.id).raw)
    return 0


def _models(house: Client, options: argparse.Namespace) -> int:
    for model in house.models():
        sizes = " ".join(f"{size['width']}x{size['height']}" for size in model["sizes"])
        print(f"{model['slug']:<24} {sizes}")
    return 0


def _verify(house: Client, options: argparse.Namespace) -> int:
    report = house.verify(options.file)
    print(report.headline)
    for mark, verdict in report.verdicts.items():
        print(f"  {mark:<12} {verdict.replace('_', ' ')}")
    return 0 if report.is_ours else 4


def _statement(house: Client, options: argparse.Namespace) -> int:
    _print(house.statement(options.statement).raw)
    return 0


def _appeal(house: Client, options: argparse.Namespace) -> int:
    lodged = house.appeal(options.statement, options.grounds)
    print(f"Appeal {lodged['id']} is lodged, and is heard by {lodged['due_at'][:10]}.")
    return 0


def _print(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    return int(width), int(height)


def _adapter(text: str) -> dict[str, Any]:
    slug, _, weight = text.partition(":")
    return {"slug": slug, "weight": float(weight or 1)}


def _parser() -> argparse.ArgumentParser:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="proofsheet", description=__doc__, epilog=EPILOG, formatter_class=kind
    )
    env = os.environ.get
    parser.add_argument("--url", default=env("PROOFSHEET_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--key", default=env("PROOFSHEET_KEY", ""))
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    generate = verbs.add_parser("generate", help="make images and save them")
    generate.set_defaults(act=_generate)
    generate.add_argument("prompt")
    generate.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("picture.png"),
        help="its ending chooses png, jpeg or webp; picture.png when left out",
    )
    generate.add_argument("--model", help="a slug of `proofsheet models`")
    generate.add_argument("--size", type=_size, metavar="WxH")
    generate.add_argument("--seed", type=int)
    generate.add_argument("--count", type=int, help="1 to 4 images")
    generate.add_argument("--not", dest="negative_prompt", help="what it should not show")
    generate.add_argument("--adapter", type=_adapter, action="append", metavar="SLUG[:WEIGHT]")
    generate.add_argument("--from", dest="start_from", metavar="FILE", help="start from a picture")
    for name, act, argument, text in (
        ("show", _show, "id", "print a generation as JSON"),
        ("verify", _verify, "file", "say what can be proved about a picture"),
        ("statement", _statement, "statement", "print a statement of reasons as JSON"),
        ("appeal", _appeal, "statement", "contest a refusal by its statement's id"),
        ("models", _models, "", "list the models with their sizes"),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.set_defaults(act=act)
        if argument:
            verb.add_argument(argument)
        if name == "appeal":
            verb.add_argument("grounds", help="why the decision is wrong")
    return parser
