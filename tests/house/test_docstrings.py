"""What docstrings name is there: a reader follows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.measures import ROOT, files

SEE = re.compile(r"\bsee `([a-z_]+)`")
DOORS = re.compile(r"\bDoors?: (.*)", re.DOTALL)


def modules_named(path: Path) -> Iterator[str]:
    """Modules beside `path` that its docstring sends its reader to."""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    yield from SEE.findall(said)
    if path.name == "__init__.py" and (doors := DOORS.search(said)):
        for name in re.findall(r"`([^`]+)`", doors[1]):
            yield name.split("(")[0].split(".")[0]


def test_docstrings_send_their_reader_to_modules_that_are_there() -> None:
    lost = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files()
        for name in modules_named(path)
        if not any((path.parent / f"{name}{end}").exists() for end in (".py", "/__init__.py"))
    ]
    assert lost == []
