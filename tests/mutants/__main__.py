"""`make mutants`: how many small wrong changes of twelve modules their own tests notice.

`python -m tests.mutants [module ...]` goes on where it was; a changed module or test starts that
module anew.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.bench.report import FOLDER, ROOT, Row, print_table, publish
from tests.mutants.plugin import AGAIN, Plugin
from tests.mutants.state import State
from tests.mutants.table import MODULES

STATE = ROOT / "var" / "mutants"
MUST_PERCENT = 95.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="names of the table; all of them if none")
    parser.add_argument("--report", action="store_true", help="only tell and publish what is known")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    said = parser.parse_args()
    names = said.modules or [module.name for module in MODULES]
    if unknown := set(names) - {module.name for module in MODULES}:
        parser.error(f"not in tests/mutants/table.py: {', '.join(sorted(unknown))}")
    if said.inside:
        return _inside(names)
    for is_pure in () if said.report else (True, False):
        some = [m.name for m in MODULES if m.name in names and m.is_pure == is_pure]
        again = [sys.executable, "-m", "tests.mutants", "--inside", *some]
        while some and (code := subprocess.run(again, cwd=ROOT).returncode):
            if code != AGAIN:
                return code
    return report(State(STATE), is_published=not said.modules)


def _inside(names: list[str]) -> int:
    """All of it in one pytest process."""
    tests = sorted({test for module in MODULES if module.name in names for test in module.tests})
    options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--tb=short"]
    return int(pytest.main([*options, *tests], plugins=[Plugin(State(STATE), names)]))


def report(state: State, *, is_published: bool) -> int:
    """Print what is known; 1 where too many survived or some are still to be met."""
    known = {module.name: list(state.results(module.name).values()) for module in MODULES}
    results = [result for some in known.values() for result in some]
    survivors = [result for result in results if result["outcome"] != "killed"]
    print(
        "\n".join(f"SURVIVED {one['place']} {one['where']}: {one['change']}" for one in survivors)
    )
    wanted = sum(module.mutants for module in MODULES)
    rows = [
        Row("met", len(results), "mutants", better="higher", must=wanted),
        _row("killed", results, must=MUST_PERCENT),
        *(_row(f"killed_{name}", some) for name, some in known.items() if some),
    ]
    if is_published:
        publish("mutants", rows)
        told = "".join(f"- `{s['place']}` in `{s['where']}`: `{s['change']}`\n" for s in survivors)
        (FOLDER / "mutants.md").write_text(ABOUT + (told or "None.\n"))
    else:
        print_table(rows)
    return int(any(row.verdict() == "short" for row in rows))


def _row(name: str, results: Sequence[Mapping[str, Any]], must: float | None = None) -> Row:
    dead = sum(result["outcome"] == "killed" for result in results)
    percent = round(100 * dead / max(len(results), 1), 1)
    against = f"{dead} of {len(results)} mutants"
    return Row(name, percent, "%", better="higher", must=must, against=against)


ABOUT = """# What `make mutants` measures

Small wrong changes of twelve modules, one at a time: a bound moved, a condition turned or ignored,
a statement or a queryset's call left out, a constant ten times as large. Each module's changes are
drawn by their digests, at most one a line (`tests/mutants/edits.py`, `table.py`), so that a run
draws the same ones until their lines change. A mutant is put into the running process and no file
is changed. It meets the tests of its module that enter the changed function, the quickest first,
until one fails; that test must pass again without the mutant. A test that hangs ends its process,
and counts only if it hangs in a second one too.

The share that is killed says how much of what these lines do is asserted; a change that makes no
difference to anybody counts as a survivor too.

Survivors of the last run:

"""

if __name__ == "__main__":
    sys.exit(main())
