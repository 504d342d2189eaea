"""A report's rates and contrasts follow from its own bundle, by Python alone and by R alone."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moderation.audits.audit_reports import recomputation
from moderation.audits.suites.person_terms import title
from moderation.audits.tables import traffic_tables
from moderation.audits.tables.audit_report import Table
from moderation.audits.tables.traffic_rates import Labelled
from tests.bench import audit_worlds
from tests.bench.audit_worlds import WORLDS

SKINS = np.array(["", "dark", "light", "medium"])
SHARES = (0.7, 0.15, 0.149, 0.001)
R = shutil.which("Rscript")
COUNTED = {"true_positive", "false_positive", "false_negative", "true_negative"}
Printed = dict[tuple[str, str, str, str], float]


def items_of(place: int) -> Labelled:
    """Labels of a world, of which some prompts state a skin tone: one of them hardly ever."""
    made = audit_worlds.draw(np.random.default_rng(3), WORLDS[place])
    rng = np.random.default_rng(4)
    tone = rng.choice(4, int(made.prompt.max()) + 1, p=SHARES)[made.prompt]
    frame, cells = made.frame, len(made.frame.stratum)
    own = np.bincount(made.stratum * 4 + tone, minlength=cells * 4).reshape(cells, 4)
    lacking = frame.labelled - own.sum(1)
    assert not lacking.any()
    others = (frame.screenings - frame.labelled).astype(int)
    screened = own + np.stack([rng.multinomial(each, SHARES) for each in others])
    wide = replace(
        frame,
        stratum=np.repeat(frame.stratum, 4),
        groups={name: np.repeat(values, 4) for name, values in frame.groups.items()}
        | {"skin": np.tile(SKINS, cells)},
        screenings=screened.ravel().astype(float),
        drawn=own.ravel().astype(float),
        labelled=own.ravel().astype(float),
    )
    return replace(made, groups=made.groups | {"skin": SKINS[tone]}, frame=wide)


def printed(command: list[str], folder: Path, items: Labelled) -> Printed:
    """What a script says in a folder that holds the bundle and nothing else."""
    for name, data in recomputation.files(items).items():
        (folder / name).write_bytes(data)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    rows = csv.reader(done.stdout.splitlines())
    return {
        (table, row, group, name): float(value or "nan") for table, row, group, name, value in rows
    }


def compared(said: Printed, table: Table, keys: tuple[str, str]) -> int:
    """Compare every number of a table with what was printed; how many there were."""
    found = {
        (row, _titled(group), name): value for (of, row, group, name), value in said.items()
        if of == table.name
    }  # fmt: skip
    names = [column.name for column in table.columns if column.kind != "text"]
    count = 0
    for place, key in enumerate(zip(*(table.cells(key) for key in keys), strict=True)):
        for name in names:
            expected = table.cells(name)[place]
            if expected is None or (str(key[0]), str(key[1]), name) not in found:
                assert name in {"labels"} or expected in {None, 0}, (key, name)
                continue
            value = round(found[str(key[0]), str(key[1]), name], 6)
            value = round(value) if name in COUNTED else value
            assert value == pytest.approx(float(str(expected)), abs=1e-9), (key, name)
            count += 1
    return count


def _titled(group: str) -> str:
    for between in (" × ", " against "):
        group = between.join(title(part) for part in group.split(between))
    return group


def checked(said: Printed, items: Labelled) -> None:
    rates = traffic_tables.rates_table(items)
    primary, _, _ = traffic_tables.primary(items, margin=0.02)
    assert compared(said, rates, ("dimension", "group")) > 150
    assert compared(said, primary, ("measure", "contrast")) > 35


@pytest.mark.parametrize("place", [1, 5, 6])
def test_python_alone_prints_the_same_tables(place: int, tmp_path: Path) -> None:
    items = items_of(place)
    command = [sys.executable, "-I", "-S", "recompute.py"]
    checked(printed(command, tmp_path, items), items)


@pytest.mark.skipif(R is None, reason="CI installs r-base-core where it has apt-get")
@pytest.mark.parametrize("place", [1, 5, 6])
def test_r_alone_prints_the_same_tables(place: int, tmp_path: Path) -> None:
    items = items_of(place)
    said = printed([str(R), "--vanilla", "recompute.r"], tmp_path, items)
    checked(said, items)
    alone = printed([sys.executable, "-I", "-S", "recompute.py"], tmp_path, items)
    assert said == pytest.approx(alone, abs=1e-9, rel=1e-9, nan_ok=True)


def test_rows_name_nobody_and_no_small_group(tmp_path: Path) -> None:
    items = items_of(6)
    files = recomputation.files(items)
    head, *rows = files["rows.csv"].decode().splitlines()
    assert head == "stratum,gender,age,skin,flagged,violating,prompt,owner"
    assert len(rows) == len(items.weight)
    assert np.count_nonzero(items.groups["skin"] == "medium") in range(1, 10)
    for name in ("rows.csv", "frame.csv"):
        assert b"medium" not in files[name]
        assert b"withheld" in files[name]
