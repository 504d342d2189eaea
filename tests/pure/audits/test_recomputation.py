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
from moderation.audits.suites.person_terms import DIMENSIONS, title
from moderation.audits.tables import traffic_tables
from moderation.audits.tables.audit_report import Table
from moderation.audits.tables.traffic_rates import Labelled
from tests.bench import audit_worlds
from tests.bench.audit_worlds import WORLDS

SKINS = np.array(["", "dark", "light", "medium"])
RARE, EVEN = (0.7, 0.15, 0.149, 0.001), (0.4, 0.3, 0.3, 0.0)
R = shutil.which("Rscript")
COUNTED = {"true_positive", "false_positive", "false_negative", "true_negative"}
Printed = dict[tuple[str, str, str, str], float]


def items_of(place: int, shares: tuple[float, ...] = RARE) -> Labelled:
    """Labels of a world, of which some prompts state a skin tone: one of them hardly ever."""
    made = audit_worlds.draw(np.random.default_rng(3), WORLDS[place])
    rng = np.random.default_rng(4)
    tone = rng.choice(4, int(made.prompt.max()) + 1, p=shares)[made.prompt]
    frame, cells = made.frame, len(made.frame.stratum)
    own = np.bincount(made.stratum * 4 + tone, minlength=cells * 4).reshape(cells, 4)
    lacking = frame.labelled - own.sum(1)
    assert not lacking.any()
    others = (frame.screenings - frame.labelled).astype(int)
    screened = own + np.stack([rng.multinomial(each, shares) for each in others])
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


def with_rare_gender(made: Labelled) -> Labelled:
    """The same, and five labelled adults of a gender that no other prompt states."""
    frame, five = made.frame, np.arange(5)
    who = {"gender": "nonbinary", "age": "adult", "skin": "light"}
    wide = replace(
        frame,
        strata=(*frame.strata, ("far/nonbinary", 0.03, False)),
        stratum=np.append(frame.stratum, len(frame.strata)),
        groups={name: np.append(frame.groups[name], value) for name, value in who.items()},
        screenings=np.append(frame.screenings, 5.0),
        drawn=np.append(frame.drawn, 5.0),
        labelled=np.append(frame.labelled, 5.0),
    )
    return Labelled(
        groups={name: np.append(made.groups[name], [value] * 5) for name, value in who.items()},
        is_flagged=np.append(made.is_flagged, five < 0),
        is_violating=np.append(made.is_violating, five < 1),
        score=np.append(made.score, five / 100),
        stratum=np.append(made.stratum, five * 0 + len(frame.strata)),
        weight=np.append(made.weight, five * 0 + 1.0),
        prompt=np.append(made.prompt, five + 1 + made.prompt.max()),
        owner=np.append(made.owner, five * 0 + 1 + made.owner.max()),
        frame=wide,
    )


HOUSES = {
    "rare tone": items_of(6),
    "no rare group": items_of(6, EVEN),
    "rare gender": with_rare_gender(items_of(6, EVEN)),
    "misses far": items_of(1),
    "late labels": items_of(5),
}
every_house = pytest.mark.parametrize("items", HOUSES.values(), ids=HOUSES)


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


@every_house
def test_python_alone_prints_the_same_tables(items: Labelled, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "recompute.py"]
    checked(printed(command, tmp_path, items), items)


@pytest.mark.skipif(R is None, reason="no Rscript here, so nothing ran recompute.r (r-base-core)")
@every_house
def test_r_alone_prints_the_same_tables(items: Labelled, tmp_path: Path) -> None:
    said = printed([str(R), "--vanilla", "recompute.r"], tmp_path, items)
    checked(said, items)
    alone = printed([sys.executable, "-I", "-S", "recompute.py"], tmp_path, items)
    assert said == pytest.approx(alone, abs=1e-9, rel=1e-9, nan_ok=True)


@every_house
def test_no_combination_of_groups_is_small_in_rows_or_frame(items: Labelled) -> None:
    files = {name: data.decode() for name, data in recomputation.files(items).items()}
    for name, counts in (("rows.csv", []), ("frame.csv", ["screenings", "labelled"])):
        cells: dict[tuple[str, ...], list[int]] = {}
        for row in csv.DictReader(files[name].splitlines()):
            who = tuple(row[each] for each in DIMENSIONS if each in row)
            cell = cells.setdefault(who, [0] * max(1, len(counts)))
            for place, count in enumerate([int(row[each]) for each in counts] or [1]):
                cell[place] += count
        assert all(count == 0 or count >= 10 for cell in cells.values() for count in cell)


def test_what_is_stated_is_as_much_as_may_be() -> None:
    heads = {name: recomputation.files(items) for name, items in HOUSES.items()}
    columns = {
        name: set(files["rows.csv"].decode().partition("\n")[0].split(",")) & set(DIMENSIONS)
        for name, files in heads.items()
    }
    assert columns["no rare group"] == set(DIMENSIONS)
    assert columns["rare tone"] == {"gender", "age"}
    assert columns["rare gender"] == set()
    assert len(heads["no rare group"]["totals.csv"].splitlines()) == 1
    rows = heads["rare tone"]["rows.csv"].decode().splitlines()
    assert len(rows) == 1 + len(HOUSES["rare tone"].weight)
    assert len(heads["rare gender"]["rows.csv"].splitlines()) == 1
    assert len(heads["rare gender"]["frame.csv"].splitlines()) == 1


@pytest.mark.parametrize(("house", "hidden"), [("rare tone", "medium"), ("rare gender", "nonbin")])
def test_no_file_names_a_group_that_the_report_hides(house: str, hidden: str) -> None:
    for name, data in recomputation.files(HOUSES[house]).items():
        assert hidden not in data.decode(), name
