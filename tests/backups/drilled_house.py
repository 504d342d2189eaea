"""A house of its own for a backup's drill: `python -m tests.backups.drilled_house fill 5 FOLDER`.

Its parts run as they do at an operator's: every command is a process, on the embedded servers of a
state folder. `House` calls them; what it fills is pictures with a real mark and a place in the log,
and beyond the first three such that only weigh as much.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
MARKED, PICTURE_BYTES, MANIFEST_BYTES = 3, 250_000, 10_000


@dataclass(frozen=True)
class House:
    """`state` is wiped; `outside` stays, as another disk would."""

    state: Path
    outside: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ
        }
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=kept | {"PROOFSHEET_STATE_DIR": str(self.state), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=3000,
            check=False,
        )

    def manage(self, *command: str) -> str:
        """Raises AssertionError unless it ends well."""
        done = self.run("manage.py", *command)
        assert done.returncode == 0, (command, done.stdout, done.stderr[-2000:])
        return done.stdout

    def fill(self, count: int) -> None:
        done = self.run("-m", "tests.backups.drilled_house", "fill", str(count), str(self.outside))
        assert done.returncode == 0, done.stderr[-2000:]

    def log_on(self) -> int:
        """One more entry in the log; returns the size of its tree."""
        done = self.run("-m", "tests.backups.drilled_house", "log", "1", str(self.outside))
        assert done.returncode == 0, done.stderr[-2000:]
        return int(done.stdout.split()[-1])

    def page_of_picture(self) -> str:
        """What the verify page says of the first picture that was made."""
        done = self.run("-m", "tests.backups.drilled_house", "page", "1", str(self.outside))
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def wipe(self) -> None:
        """The host is gone."""
        from config.launch.postgres import reachable_dir  # as root the cluster may lie there

        shutil.rmtree(self.state)
        shutil.rmtree(reachable_dir(self.state / "postgres"), ignore_errors=True)
        self.state.mkdir()
        self.state.chmod(0o755)


def main(what: str, count: int, outside: Path) -> None:
    from config.launch import embedded_servers  # before Django, as manage.py does

    embedded_servers.ensure_running()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    if what == "fill":
        _fill(count, outside)
    elif what == "log":
        _log_on()
    else:
        _show_page(outside)


def _fill(count: int, outside: Path) -> None:
    from django.contrib.auth.models import User
    from django.core.files.base import ContentFile
    from django.utils import timezone

    from adapters.access import visibility
    from config.core import content_files
    from config.core.storage import private_storage
    from provenance.log import transparency_log
    from tests.factories import make_image
    from tests.provenance.conftest import record, seal
    from tests.provenance.pictures import photograph

    alice, model = User.objects.get(username="alice"), visibility.find_model(None)
    said: dict[str, Any]
    for number in range(count):
        if number < MARKED:
            marked = record(seal(photograph("astronaut")))
            data, said = marked.sealed.data, {"id": marked.id}
            (outside / f"picture-{number}.png").write_bytes(data)
        else:
            data, said = os.urandom(PICTURE_BYTES), {}
            content_files.keep("manifests", os.urandom(MANIFEST_BYTES))
            transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=timezone.now())
        image = make_image(alice, model, **said)
        private_storage().delete(str(image.file))
        image.file.name = private_storage().save(str(image.file), ContentFile(data))
        image.save(update_fields=["file"])
    transparency_log.sequence(at=timezone.now())


def _log_on() -> None:
    from django.utils import timezone

    from provenance.log import transparency_log

    transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=timezone.now())
    transparency_log.sequence(at=timezone.now())
    print(transparency_log.latest_checkpoint().tree_size)


def _show_page(outside: Path) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    file = SimpleUploadedFile("a.png", (outside / "picture-0.png").read_bytes(), "image/png")
    answer = Client(headers={"host": "localhost"}).post("/verify/", {"file": file})
    print(answer.content.decode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
