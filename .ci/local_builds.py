"""Name the builds on this machine that the lock allows, such as a torch without CUDA.

Of a version that the index has too, pip with hashes takes the index's file, whose hash it knows
before it looks. `make install` therefore installs these first, by their own hashes.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

LOCK = (Path(__file__).resolve().parent.parent / "requirements.lock").read_text()


def main() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    folders = {place for said in re.findall(r"find-links='(.+?)'", told) for place in said.split()}
    for wheel in (each for folder in sorted(folders) for each in Path(folder).glob("*+*.whl")):
        name, version = wheel.name.split("-")[:2]
        if f"\n{name.lower()}=={version.partition('+')[0]} " not in LOCK.lower():
            continue
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if f"sha256:{digest}" in LOCK:
            print(f"{name} @ {wheel.as_uri()} --hash=sha256:{digest}")


if __name__ == "__main__":
    main()
