"""`make bench-backup`: how long a house takes into a backup and out of it again.

A house with its own embedded servers and state folder: filled with pictures of 250 kB, a manifest
of 10 kB and an entry of the log each (the first three are really marked), backed up, its state
folder wiped, restored and verified, each by the command that an operator runs. Starting the
servers is in the times, as it is in an operator's.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from time import monotonic

from config.launch import embedded_servers
from tests.backups.drilled_house import House
from tests.bench import report
from tests.bench.report import Row

COUNT = 5000


def measure(count: int) -> list[Row]:
    """Raises AssertionError where a command fails or the house is not the same."""
    place = embedded_servers.ROOT / "var" / "test"
    place.mkdir(parents=True, exist_ok=True)
    state = Path(tempfile.mkdtemp(prefix="drill-", dir=place))
    outside = Path(tempfile.mkdtemp(prefix="drill-outside-", dir=place))
    state.chmod(0o755)
    try:
        return _measured(House(state, outside), count)
    finally:
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(outside, ignore_errors=True)


def _measured(house: House, count: int) -> list[Row]:
    backup, words = house.outside / "backup", house.outside / "passphrase"
    words.write_text("a safe in another town\n")
    house.manage("prepare_house")
    house.fill(count)
    opened = f"--passphrase-file={words}"
    spent = {"backup": _timed(house, "backup", str(backup), opened)}
    house.wipe()
    spent["restore"] = _timed(house, "restore", str(backup), opened)
    spent["verify_restore"] = _timed(house, "verify_restore", str(backup))
    size_mib = sum(path.stat().st_size for path in backup.rglob("*") if path.is_file()) / 2**20
    must, aim = (300, 120) if count == COUNT else (None, None)
    return [
        *(Row(f"{name}_s_{count}", seconds, "s") for name, seconds in spent.items()),
        Row(f"out_and_back_s_{count}", round(sum(spent.values()), 1), "s", must=must, aim=aim),
        Row(f"backup_mib_{count}", size_mib, "MiB"),
    ]


def _timed(house: House, *command: str) -> float:
    begun = monotonic()
    house.manage(*command)
    return round(monotonic() - begun, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    report.publish("backup", measure(options.count), keeps_others=True)


if __name__ == "__main__":
    main()
