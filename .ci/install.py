"""Install what the locks name: `make install` and `make install-production` run it.

    .venv/bin/python .ci/install.py requirements.lock requirements-dev.lock

Only what the locks name is taken, and only files whose SHA-256 they hold. Where pip is set to find
torch's build without CUDA, that one is taken and satisfies the lock. A torch built for CUDA asks
for NVIDIA's libraries, which no other torch does: they have a lock of their own. Where the same
locks are installed already, nothing is asked of pip.
"""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

CPU, CUDA = "requirements-cpu.lock", "requirements-cuda.lock"
STAMP = Path(sys.prefix) / ".installed"
PIP = [
    sys.executable, "-m", "pip", "install", "--disable-pip-version-check",
    "--no-deps", "--require-hashes", "--progress-bar", "off",
]  # fmt: skip
# What an environment with both locks takes on disk, by torch's build; a test compares the first.
CPU_GIB, CUDA_GIB = 2.8, 6.4
FIRST = (
    f"· packages: minutes the first time; {CPU_GIB} GiB on disk where pip finds torch without CUDA,"
    f" else {CUDA_GIB} GiB"
)
INDEX_S_TORCH = f"""\
  pip finds no torch without CUDA, so the index's comes: {CUDA_GIB} GiB in all. Without a CUDA
  device stop here and set PIP_EXTRA_INDEX_URL to PyTorch's index of wheels for the CPU first"""
FAILED = """\
The packages could not be installed: the lines above say why. This step needs the package index and
that much disk; run the same command again when both are there."""
LARGE = re.compile(r"\((\d{2,}\.\d MB|[\d.]+ GB)\)")
NAMED = re.compile(r"(?:Collecting |Requirement already satisfied: |Processing .*/)([^\s;(/]+)")
EVERY_S = 15  # where nobody watches a line that is written over


def main(locks: Sequence[str]) -> int:
    wanted = {digest(lock) for lock in (*locks, CPU, CUDA)}
    installed = set(STAMP.read_text().splitlines()) if STAMP.exists() else set()
    if not wanted <= installed:
        if is_first := not STAMP.exists():
            print(FIRST, flush=True)
        if not fetch([CPU], is_tried=True) and is_first:
            print(INDEX_S_TORCH, flush=True)
        if not (fetch(locks) and (not asks_for_cuda() or fetch([CUDA]))):
            print(FAILED)
            return 1
    named = {line.split()[1] for line in wanted}
    others = {line for line in installed if line and line.split()[1] not in named}
    STAMP.write_text("\n".join(sorted(wanted | others)) + "\n")
    return 0


def digest(lock: str) -> str:
    return f"{sha256(Path(lock).read_bytes()).hexdigest()} {lock}"


def asks_for_cuda() -> bool:
    try:
        return any("nvidia-" in need for need in requires("torch") or ())
    except PackageNotFoundError:
        return False


def fetch(locks: Sequence[str], *, is_tried: bool = False) -> bool:
    """Install the locks and say how far it is; whether pip did it. Why not is told, unless it was
    only tried."""
    names = [arg for lock in locks for arg in ("-r", lock)]
    text = "\n".join(Path(lock).read_text() for lock in locks)
    progress = Progress(len(re.findall(r"^[A-Za-z0-9][^\s=]*==", text, re.MULTILINE)))
    watcher = threading.Thread(target=progress.watch)
    with subprocess.Popen(
        [*PIP, *names], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        watcher.start()
        for line in pip.stdout:
            progress.read(line)
        progress.has_ended.set()
        watcher.join()
    if not pip.returncode:
        print(progress.summary(), flush=True)
    elif not is_tried:
        print("".join(progress.complaints), end="", flush=True)
    return not pip.returncode


class Progress:
    """What pip does, in one line: written over on a terminal, now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen = 0
        self.doing = ""
        self.started = time.monotonic()
        self.complaints: list[str] = []
        self.before: int | None = None  # packages that were there when pip began to unpack
        self.has_ended = threading.Event()

    def read(self, line: str) -> None:
        """One line of pip's. What it warns of (a folder that is none) is not why it fails."""
        if self.complaints or line.startswith("ERROR:"):
            self.complaints += [line] if not line.startswith("WARNING:") else []
        elif found := NAMED.match(line):
            self.seen += 1
            self.doing = found[1].replace("==", " ")
        elif size := LARGE.search(line):
            self.doing += f", {size[1]}"
        elif line.startswith("Installing collected packages"):
            self.before = there()

    def said(self) -> str:
        if self.before is not None:
            return f"unpacking {max(0, there() - self.before)} of {self.total}"
        return f"{self.seen} of {self.total}: {self.doing}"

    def summary(self) -> str:
        packages = f"{self.total} packages" if self.total > 1 else self.doing
        return f"  {packages}: {time.monotonic() - self.started:.0f} s"

    def watch(self) -> None:
        """Until it has ended; then the line is empty again."""
        is_terminal = sys.stdout.isatty()
        while not self.has_ended.wait(0.5 if is_terminal else EVERY_S):
            text = f"  {self.said()}"[:78]
            print(f"\r{text:<78}" if is_terminal else text, end="" if is_terminal else "\n")
            sys.stdout.flush()
        if is_terminal:
            print("\r" + " " * 78 + "\r", end="")


def there() -> int:
    """How many packages the environment has."""
    return sum(1 for _ in Path(sys.prefix).glob("lib/python*/site-packages/*.dist-info"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
