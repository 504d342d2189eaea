"""The README's table names every setting that the code reads, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from config.launch.embedded_servers import ROOT

ROOMS = ("config", "generation", "adapters", "moderation", "provenance")
NOT_SETTINGS = {"PATH", "DJANGO_SETTINGS_MODULE", "HF_HUB_OFFLINE"}


def _is_reader(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return name.startswith("env_") or name in {"os.environ.get", "os.environ.setdefault"}


def _names_read(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and _is_reader(node):
            wanted: ast.expr = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            wanted = node.slice
        else:
            continue
        if isinstance(wanted, ast.Constant):
            yield str(wanted.value)


def test_the_table_names_every_setting_and_no_other() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    read = {name for path in files for name in _names_read(path)} - NOT_SETTINGS
    rows = re.findall(r"^\|(.+?)\|", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}
    assert told == read
