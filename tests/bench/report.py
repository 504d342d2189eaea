"""What every benchmark prints and writes: a table, and docs/benchmarks/NAME.json."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from moderation.audits.statistics.rates import wilson

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "benchmarks"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: `low` and `high` are its range; `must` and `aim` the targets it was set."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    better: Literal["higher", "lower"] = "lower"
    must: float | None = None
    aim: float | None = None
    against: str = ""

    def verdict(self) -> str:
        if self.must is None:
            return ""
        is_met = self.value <= self.must if self.better == "lower" else self.value >= self.must
        return "met" if is_met else "short"


def share_row(
    name: str,
    hits: int,
    of: int,
    *,
    better: Literal["higher", "lower"],
    must: float | None = None,
    aim: float | None = None,
    against: str = "",
) -> Row:
    """`hits` of `of` in per cent, with the 95 % Wilson interval as its range."""
    value, low, high = (round(part * 100, 3) for part in wilson([hits], [of])[0])
    return Row(name, value, "%", low, high, better=better, must=must, aim=aim, against=against)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine() -> dict[str, object]:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30),
        "accelerator": None,
    }


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def print_table(rows: Sequence[Row]) -> None:
    heads = ("name", "value", "low", "high", "unit", "must", "")
    table = [
        (r.name, *map(_number, (r.value, r.low, r.high)), r.unit, _number(r.must), r.verdict())
        for r in rows
    ]
    widths = [max(len(line[i]) for line in (heads, *table)) for i in range(len(heads))]
    for line in (heads, *table):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _earlier(path: Path, rows: Sequence[Row]) -> list[dict[str, object]]:
    """Rows of the file that this run did not measure."""
    names = {row.name for row in rows}
    known = json.loads(path.read_text())["rows"] if path.exists() else []
    return [row for row in known if row["name"] not in names]


def publish(benchmark: str, rows: Sequence[Row], *, keeps_others: bool = False) -> Path:
    """Print the table and write it to docs/benchmarks/<benchmark>.json; returns the path.

    A run of a part keeps the others' rows: time and commit are then those of the last run.
    """
    print_table(rows)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{benchmark}.json"
    others = _earlier(path, rows) if keeps_others else []
    report = {
        "benchmark": benchmark,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "rows": others + [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(report, indent=1) + "\n")
    return path
