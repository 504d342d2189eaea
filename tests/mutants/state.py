"""What is known so far, in var/mutants: a run that was ended goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.mutants.table import MODULES, Module

Baseline = dict[str, tuple[float, list[str], list[int]]]
"""Of each test its seconds, and which of the module's functions and lines it runs."""


@dataclass(frozen=True, slots=True)
class Result:
    """`by`: the test that failed, or how many passed; `failure`: what it said."""

    module: str
    key: str
    place: str
    where: str
    change: str
    outcome: str
    by: str
    failure: str


class State:
    """One file a module, named after what the module and its tests say: a change of either starts
    that module anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = {module.name: folder / f"{_digest(module)}.json" for module in MODULES}
        self._known: dict[str, dict[str, Any]] = {
            name: json.loads(path.read_text()) if path.exists() else {}
            for name, path in self._paths.items()
        }

    def waits(self, module: str, key: str) -> bool:
        return key not in self._known[module].get("results", {})

    def baseline(self, module: str) -> Baseline | None:
        return self._known[module].get("runs")

    def keep_baseline(self, module: str, baseline: Baseline) -> None:
        self._known[module]["runs"] = baseline
        self._write(module)

    def gave_up(self, module: str, key: str, why: str) -> int:
        """How many processes ended at this mutant because of `why`."""
        return int(self._known[module].get(why, {}).get(key, 0))

    def give_up(self, module: str, key: str, why: str) -> None:
        self._known[module].setdefault(why, {})[key] = self.gave_up(module, key, why) + 1
        self._write(module)

    def end(self, result: Result) -> None:
        self._known[result.module].setdefault("results", {})[result.key] = asdict(result)
        self._write(result.module)
        mark = "killed  " if result.outcome == "killed" else "SURVIVED"
        print(f"{mark} {result.place} {result.where}: {result.change}  [{result.by}]", flush=True)

    def results(self, module: str) -> Mapping[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self._known[module].get("results", {})
        return found

    def _write(self, module: str) -> None:
        path = self._paths[module]
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"module": module} | self._known[module], indent=1))
        part.replace(path)


def _digest(module: Module) -> str:
    said = [Path(path).read_bytes() for path in (module.path, *module.tests)]
    return f"{module.name}-{hashlib.sha256(b''.join(said)).hexdigest()[:12]}"
