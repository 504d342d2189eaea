"""What the pages for operators have them type is a command of this house, with options it knows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from config.launch.embedded_servers import ROOT

PAGES = sorted((ROOT / "docs" / "operate").glob("*.md"))
FENCED = re.compile(r"^(?:\.venv/bin/python |/opt/\S+ )?manage\.py (.+?)(?:\s+#.*)?$", re.MULTILINE)
TYPED = re.compile(r"manage\.py ([a-z_]+(?: --[a-z-]+)*)")


def fenced(page: Path) -> list[str]:
    """Whole command lines, as they stand in fences."""
    fences = re.findall(r"^```.*?\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line for fence in fences for line in FENCED.findall(fence)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    for told in TYPED.findall(page.read_text()):
        name, *options = told.split()
        assert name in get_commands(), told
        known = load_command_class(get_commands()[name], name).create_parser("", name)
        for option in options:
            assert option in known._option_string_actions, told


@pytest.mark.django_db  # a day is compared with the database's
@pytest.mark.parametrize(
    ("page", "line"), [(page.stem, line) for page in PAGES for line in fenced(page)]
)
def test_every_line_to_type_is_understood(page: str, line: str) -> None:
    name, *words = shlex.split(line)
    load_command_class(get_commands()[name], name).create_parser("", name).parse_args(words)


def test_pages_of_backups_and_incidents_have_lines() -> None:
    found = {page.stem: len(fenced(page)) for page in PAGES}
    assert found["backup"] >= 6
    assert found["incident"] >= 4
