"""What the domain sends by name is known to whoever sends it, and workers load before they take."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from celery.signals import celeryd_after_setup
from django.conf import settings

from config.runtime import preload

ROOMS = ("config", "generation", "adapters", "moderation", "provenance")
NAME = re.compile(rf"\"((?:{'|'.join(ROOMS)})(?:\.\w+)*\.tasks\.\w+)\"")
LISTED = """
import json
import config.asgi
from celery import current_app
print(json.dumps(sorted(current_app.tasks)))
"""


def names_in_the_source() -> set[str]:
    """Every task's name that stands somewhere as text: of the domain, of routes, of the clock."""
    files = (path for room in ROOMS for path in (settings.ROOT / room).rglob("*.py"))
    return {name for path in files for name in NAME.findall(path.read_text())}


def test_the_web_knows_every_task_that_is_sent_by_name() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LISTED],
        cwd=settings.ROOT,
        env={"PATH": "/usr/bin:/bin", "PROOFSHEET_STATE_DIR": str(settings.STATE_DIR)},
        capture_output=True,
        text=True,
        check=True,
    )
    known = set(json.loads(done.stdout))
    assert "adapters.tasks.validate" in names_in_the_source()
    assert names_in_the_source() - known == set()


def test_a_worker_that_has_been_set_up_loads_its_models() -> None:
    assert preload.warm_up in [each() for _, each in celeryd_after_setup.receivers]
