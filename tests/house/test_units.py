"""The units for systemd: what they start is what README starts, and systemd can read them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from config.launch import programs
from config.launch.embedded_servers import ROOT

UNITS = ROOT / "docs" / "operate" / "systemd"
PAGE = (ROOT / "docs" / "operate" / "systemd.md").read_text()
COMMON = UNITS / "proofsheet-.service.d" / "common.conf"
NAMES = sorted(path.name for path in UNITS.glob("*.service"))
RELEASE = "/opt/proofsheet"


def unit(path: Path) -> ConfigParser:
    found = ConfigParser(interpolation=None, strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign] # as its documentation says
    found.read(path)
    return found


def started(name: str) -> list[str]:
    words = shlex.split(unit(UNITS / name)["Service"]["ExecStart"].removeprefix(f"{RELEASE}/"))
    return [word for word in words if "@%%h" not in word and word != "-n"]


def made(queue: str) -> list[str]:
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "-o", "install", "worker", f"QUEUE={queue}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    words = shlex.split(told.replace("\\\n", " "))[1:]
    return [word for word in words if "@%h" not in word and word != "-n"]


@pytest.mark.parametrize(
    ("name", "queue"),
    [
        ("proofsheet-render@.service", "gpu"),
        ("proofsheet-cpu.service", "cpu"),
        ("proofsheet-outbox.service", "outbox"),
    ],
)
def test_unit_starts_the_worker_that_make_starts(name: str, queue: str) -> None:
    found = [word.replace("${QUEUE}", queue) for word in started(name)]
    assert found == made(queue)


@pytest.mark.parametrize("name", ["proofsheet-web.service", "proofsheet-beat.service"])
def test_unit_starts_what_the_readme_starts(name: str) -> None:
    readme = (ROOT / "README.md").read_text().replace("\\\n", " ")
    lines = [
        shlex.split(line, comments=True) for line in readme.splitlines() if ".venv/bin" in line
    ]
    beat_keeps_its_place = ["-s", "/var/lib/proofsheet/beat"]
    found = [word.replace("${WEB_WORKERS}", "2") for word in started(name)]
    assert [word for word in found if word not in beat_keeps_its_place] in lines


def test_web_is_started_as_make_run_starts_it() -> None:
    assert " ".join(programs.WEB_OPTIONS) in " ".join(started("proofsheet-web.service"))


def test_file_of_one_unit_wins_over_the_one_that_all_share() -> None:
    """systemd reads the drop-in after the unit, and the last file that names a setting wins."""
    said = [line for line in COMMON.read_text().splitlines() if line.startswith("EnvironmentFile")]
    assert said == ["EnvironmentFile=/etc/proofsheet/env", "EnvironmentFile=-/etc/proofsheet/%N"]
    assert not [name for name in NAMES if "EnvironmentFile" in unit(UNITS / name)["Service"]]
    assert "/etc/proofsheet/proofsheet-render@1" in PAGE


def test_step_before_the_units_has_its_folder_and_all_that_it_is_told() -> None:
    """It runs before any unit had systemd make the folder, and as the user that owns no table."""
    before, _, after = PAGE.replace("\\\n", " ").partition("\nsystemd-run ")
    state = unit(COMMON)["Service"]["Environment"].split("STATE_DIR=")[1].split()[0]
    assert f"install -d -m 0700 -o proofsheet {state}\n" in before
    step = after.splitlines()[0]
    assert step.endswith("manage.py prepare_house")
    files = re.findall(r"-p EnvironmentFile=-?(\S+)", step)
    assert files == ["/etc/proofsheet/env", "/etc/proofsheet/owner"]
    assert re.search(rf"DATABASE_OWNER_URL.*{files[1]}", before)


def test_worker_is_killed_when_it_had_its_time_to_hand_back(settings: Settings) -> None:
    grace = settings.PROOFSHEET_DRAIN_SECONDS + 15
    assert unit(COMMON)["Service"]["TimeoutStopSec"] == str(grace)


def test_page_starts_every_unit() -> None:
    for name in NAMES:
        assert re.search(rf"enable --now .*{name.removesuffix('.service')}", PAGE), name


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The root of a host on which the units were copied, and of this release."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd here to read them")
    folder = tmp_path / "etc" / "systemd" / "system"
    shutil.copytree(UNITS, folder)
    for path in (*folder.glob("*.service"), *folder.glob("*/*.conf")):
        path.write_text(path.read_text().replace(RELEASE, str(ROOT)))
    return tmp_path


def test_systemd_understands_every_line(host: Path) -> None:
    folder = host / "etc" / "systemd" / "system"
    asked = [str(folder / name.replace("@.", "@0.")) for name in NAMES]
    done = _run("systemd-analyze", "verify", "--man=no", *asked, SYSTEMD_UNIT_PATH=f"{folder}:")
    assert not [line for line in done.stderr.splitlines() if "proofsheet" in line]
    assert done.returncode == 0, done.stderr


def test_units_that_the_page_enables_start_with_the_host(host: Path) -> None:
    for line in re.findall(r"systemctl enable --now (.*)", PAGE):
        done = _run("systemctl", f"--root={host}", "enable", *line.split())
        assert done.returncode == 0, done.stderr
    begun = {path.name for path in host.rglob("multi-user.target.wants/*")}
    assert begun == {name.replace("@.", "@0.") for name in NAMES}


def _run(*words: str, **said: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin"} | said
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
