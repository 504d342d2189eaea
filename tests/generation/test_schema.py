"""The committed OpenAPI schema is the one that the code makes."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management import call_command

COMMAND = "manage.py spectacular --validate --fail-on-warn --file docs/integrate/openapi.yaml"


def test_committed_schema_is_current(tmp_path: Path) -> None:
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(fresh))
    committed = settings.ROOT / "docs" / "integrate" / "openapi.yaml"
    assert committed.read_text() == fresh.read_text(), f"run `{COMMAND}` and commit the result"
