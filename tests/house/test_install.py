"""`make install`: what it says, what it takes, and that it does nothing twice.

Runs in an environment of its own, with packages of a few bytes in place of the house's.
"""

import os
import subprocess
import sys
import venv
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pip
import pytest

from config.launch.embedded_servers import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


class Checkout:
    """A folder with locks, an environment, and the only packages that there are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        self.site = folder / ".venv" / "lib" / "python3.11" / "site-packages"
        venv.create(folder / ".venv", with_pip=False)
        (self.site / "pip").symlink_to(Path(pip.__file__).parent)
        self.lock("requirements.lock", torch="1.0", small="1.0")
        self.lock("requirements-dev.lock", tool="1.0")
        self.lock("requirements-cuda.lock", nvidia_thing="1.0")
        self.lock("requirements-cpu.lock", torch="1.0+cpu")
        self.remove("torch", "1.0+cpu")

    def wheel(self, name: str, release: str) -> Path:
        path = self.wheels / f"{name}-{release}-py3-none-any.whl"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n"
        if (name, release) == ("torch", "1.0"):
            metadata += "Requires-Dist: nvidia-thing\n"
        with ZipFile(path, "w") as archive:
            info = f"{name}-{release}.dist-info"
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return path

    def lock(self, file: str, **packages: str) -> None:
        """Make the packages, and a lock with their hashes."""
        lines = ""
        for name, release in packages.items():
            digest = sha256(self.wheel(name, release).read_bytes()).hexdigest()
            lines += f"{name}=={release} \\\n    --hash=sha256:{digest}\n"
        (self.folder / file).write_text(lines)

    def remove(self, name: str, release: str) -> None:
        (self.wheels / f"{name}-{release}-py3-none-any.whl").unlink()

    def install(self, *locks: str) -> subprocess.CompletedProcess[str]:
        places = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return subprocess.run(
            [self.folder / ".venv" / "bin" / "python", ROOT / ".ci" / "install.py", *locks],
            cwd=self.folder, env=kept | places | {"PIP_CONFIG_FILE": os.devnull},
            capture_output=True, text=True,
        )  # fmt: skip

    def installed(self) -> set[str]:
        return {path.name.removesuffix(".dist-info") for path in self.site.glob("*.dist-info")}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.slow
def test_says_what_it_weighs_and_takes_torch_without_cuda_where_it_is(checkout: Checkout) -> None:
    checkout.lock("requirements-cpu.lock", torch="1.0+cpu")
    done = checkout.install(*LOCKS)
    assert done.returncode == 0, done.stdout + done.stderr
    first, *others = done.stdout.splitlines()
    assert "2.8 GiB on disk where pip finds torch without CUDA, else 6.4 GiB" in first
    assert any(line.startswith("  3 packages: ") for line in others)
    assert "PIP_EXTRA_INDEX_URL" not in done.stdout
    assert checkout.installed() == {"torch-1.0+cpu", "small-1.0", "tool-1.0"}


def test_names_the_setting_before_the_large_torch_comes(checkout: Checkout) -> None:
    told = checkout.install(*LOCKS).stdout
    assert "the index's comes: 6.4 GiB in all" in told
    assert "set PIP_EXTRA_INDEX_URL to PyTorch's index of wheels for the CPU" in told
    assert told.index("PIP_EXTRA_INDEX_URL") < told.index("3 packages: ")
    assert {"torch-1.0", "nvidia_thing-1.0"} <= checkout.installed()


@pytest.mark.slow
def test_what_runs_is_installed_without_the_tools(checkout: Checkout) -> None:
    checkout.install("requirements.lock")
    assert "tool-1.0" not in checkout.installed()
    changed = checkout.install(*LOCKS)
    assert "tool-1.0" in checkout.installed()
    assert "GiB" not in changed.stdout, "it is told once"


def test_nothing_is_asked_of_pip_where_the_locks_say_the_same(checkout: Checkout) -> None:
    checkout.install(*LOCKS)
    (checkout.site / "pip").unlink()
    for locks in (LOCKS, LOCKS[:1]):
        again = checkout.install(*locks)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.mark.slow
def test_says_why_it_could_not(checkout: Checkout) -> None:
    checkout.remove("small", "1.0")
    refused = checkout.install(*LOCKS)
    assert refused.returncode == 1
    assert "No matching distribution found for small==1.0" in refused.stdout
    assert "run the same command again when both are there" in refused.stdout


@pytest.mark.slow
def test_a_file_that_was_exchanged_is_not_taken(checkout: Checkout) -> None:
    with ZipFile(checkout.wheels / "small-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("small/__init__.py", "print('another')")
    refused = checkout.install(*LOCKS)
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stdout
    assert "small-1.0" not in checkout.installed()


@pytest.mark.skipif("+cpu" not in version("torch"), reason="the other torch weighs more")
def test_what_it_is_said_to_weigh_is_true() -> None:
    """Of the environment that the tests run in, with what a developer added to it."""
    told = subprocess.run(["du", "-s", "-B1", f"{sys.prefix}/"], capture_output=True, text=True)
    assert int(told.stdout.split()[0]) / 2**30 == pytest.approx(2.8, abs=0.3)
