"""Write the locks anew from what requirements.txt and requirements-dev.txt ask for: `make lock`.

Each holds one exact version of every package with the SHA-256 of all its published files, so that
an install is the same everywhere and takes nothing that was exchanged meanwhile. What the locks
hold already stays, unless it is asked for otherwise (`make lock UPGRADE=--upgrade`). What CUDA
builds of torch need stands in a lock of its own: a house without such a device installs none.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CUDA = re.compile(r"^(nvidia-|cuda-|triton==)")
HEAD = "# Written by `make lock` from {source}: do not edit.\n"


def compile_lock(source: str, lock: str, *options: str) -> str:
    """What uv makes of `source`, one entry of several lines for each package."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("uv"), "pip", "compile", source, "--quiet",
            "--no-header", "--no-annotate", "--generate-hashes", "--python-version", "3.11",
            "--python-platform", "x86_64-unknown-linux-gnu", "--output-file", lock, *options,
        ],
        cwd=ROOT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{source} cannot be locked: the lines above say why.")
    return (ROOT / lock).read_text()


def entries(text: str) -> list[str]:
    """Each package with its hashes."""
    return re.findall(r"^[A-Za-z0-9].*?(?=^[A-Za-z0-9]|\Z)", text, flags=re.MULTILINE | re.DOTALL)


def without_cuda(torch: str, wheels: list[Path]) -> str:
    """The entry of torch's build without CUDA, which the index does not list, where pip is set to
    find it on this machine; nothing elsewhere."""
    version = re.match(r"torch==([^ ;]+)", torch).group(1)  # type: ignore[union-attr] # uv writes it so
    hashes = [
        f"    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
        for wheel in wheels
        if wheel.name.startswith(f"torch-{version}+cpu-")
    ]
    return " \\\n".join([f"torch=={version}+cpu", *hashes]) + "\n" if hashes else ""


def found_here() -> list[Path]:
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    folders = {
        place for places in re.findall(r"find-links='(.+?)'", told) for place in places.split()
    }
    return [wheel for folder in sorted(folders) for wheel in sorted(Path(folder).glob("*.whl"))]


def main() -> None:
    made = entries(compile_lock("requirements.txt", "requirements.lock", *sys.argv[1:]))
    write("requirements-cuda.lock", "requirements.txt", [e for e in made if CUDA.match(e)])
    kept = [entry for entry in made if not CUDA.match(entry)]
    [torch] = [entry for entry in made if entry.startswith("torch==")]
    if without := without_cuda(torch, found_here()):
        write("requirements-cpu.lock", "requirements.txt", [without])
    development = compile_lock(
        "requirements-dev.txt", "requirements-dev.lock", "--constraints", "requirements.lock",
        *sys.argv[1:],
    )  # fmt: skip
    known = {entry.split("==")[0] for entry in made}
    write("requirements.lock", "requirements.txt", kept)
    more = [e for e in entries(development) if e.split("==")[0] not in known]
    write("requirements-dev.lock", "requirements-dev.txt", more)


def write(lock: str, source: str, made: list[str]) -> None:
    (ROOT / lock).write_text(HEAD.format(source=source) + "".join(made))


if __name__ == "__main__":
    main()
