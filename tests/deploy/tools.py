"""What reads files for containers and clusters; `make deploy-tools` makes their environment."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from config.launch.embedded_servers import ROOT

PLACE = ROOT / "var" / "deploy" / "bin"
needed = pytest.mark.skipif(
    not PLACE.exists(), reason="there are no tools here: `make deploy-tools` fetches them"
)


def ran(*words: str | Path, said: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=ROOT, input=said, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **more},
    )  # fmt: skip


def made(queue: str) -> list[str]:
    """The words with which `make worker` starts Celery, but for its name."""
    told = ran("make", "--no-print-directory", "-n", "-o", "install", "worker", f"QUEUE={queue}")
    words = shlex.split(told.stdout.replace("\\\n", " "))[1:]
    return named_by_nobody(["celery", *words[1:]])


def named_by_nobody(words: list[str]) -> list[str]:
    return [word for word in words if "@%h" not in word and word != "-n"]
