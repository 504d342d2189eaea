"""One pytest process for all mutants: servers, database and models stay up, and each mutant is met
by the tests of its module that enter the changed function, the quickest first, until one fails.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, cast

import pytest
from _pytest.runner import runtestprotocol
from _pytest.warnings import catch_warnings_for_item

from tests.mutants.edits import Edit, drawn
from tests.mutants.patching import can_be_patched, patched
from tests.mutants.state import Baseline, Result, State
from tests.mutants.table import MODULES, Module

TraceFunction = Callable[[FrameType, str, Any], Any]
AGAIN = 9
AT_LEAST_S = 120.0
TIMES = 20
"""A test that takes longer than this many times its usual time, and than `AT_LEAST_S`, hangs: its
process ends, and the mutant is killed only if a second process hangs at it too."""


class Plugin:
    def __init__(self, state: State, names: Sequence[str]) -> None:
        self.state = state
        self.modules = [module for module in MODULES if module.name in names]
        self.ends_at: float | None = None
        self.at: tuple[str, str] | None = None
        """The mutant that is met: its module and key."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Let Hypothesis stop at the first example that fails and keep none: it is the mutant's."""
        from hypothesis import Phase, settings  # after pytest, which rewrites its plugin

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("ci", settings.get_profile("ci"), database=None, phases=phases)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests could not be collected")
        threading.Thread(target=self._watch, daemon=True).start()
        for module in self.modules:
            items = {
                item.nodeid: item
                for item in session.items
                if str(item.path.relative_to(Path.cwd())) in module.tests
            }
            Run(self, session, module, items).all()
        return True

    def _watch(self) -> None:
        while True:
            time.sleep(1)
            if self.ends_at is not None and time.monotonic() > self.ends_at:
                self.leave("hangs", "it hangs")

    def leave(self, why: str, said: str) -> None:
        """End this process: what it holds is not to be trusted any more. Another goes on."""
        print(f"\n{said}; another process goes on", flush=True)
        if self.at is not None:
            self.state.give_up(*self.at, why)
        os._exit(AGAIN)


class Run:
    """The mutants of one module."""

    def __init__(
        self, plugin: Plugin, session: pytest.Session, module: Module, items: dict[str, Any]
    ) -> None:
        self.plugin, self.session, self.module, self.items = plugin, session, module, items
        self.living = importlib.import_module(module.place)
        self.path = str(self.living.__file__)
        self.text = Path(self.path).read_text()
        self.kills: dict[str, int] = {}

    def all(self) -> None:
        state, name = self.plugin.state, self.module.name
        edits = [edit for edit in self._edits() if state.waits(name, edit.key(name))]
        if not edits:
            return
        if (known := state.baseline(name)) is None:
            known = self._baseline()
            state.keep_baseline(name, known)
        for edit in edits:
            self._meet(edit, known)

    def _edits(self) -> list[Edit]:
        """As many as the table says, without those that change nothing."""
        every = drawn(self.text, name=self.module.name, count=sys.maxsize)
        good = (edit for edit in every if can_be_patched(edit, self.text, self.path))
        return [edit for edit, _ in zip(good, range(self.module.mutants), strict=False)]

    def _baseline(self) -> Baseline:
        found = {}
        for nodeid, item in self.items.items():
            functions: set[str] = set()
            lines: set[int] = set()
            trace = self._tracing(functions, lines)
            threading.settrace(trace)
            sys.settrace(trace)
            try:
                started = time.monotonic()
                failure = self._failure(item, limit_s=600)
                took_s = time.monotonic() - started
            finally:
                sys.settrace(None)
                threading.settrace(None)
            if failure:
                raise self.session.Interrupted(f"{nodeid} fails without any mutant: {failure}")
            found[nodeid] = (took_s, sorted(functions), sorted(lines))
        return found

    def _tracing(self, functions: set[str], lines: set[int]) -> TraceFunction:
        """Notes what is run of the module, and follows nothing else."""

        def line(frame: FrameType, event: str, _: Any) -> TraceFunction:
            lines.add(frame.f_lineno)
            return line

        def call(frame: FrameType, event: str, _: Any) -> TraceFunction | None:
            if frame.f_code.co_filename != self.path:
                return None
            functions.add(frame.f_code.co_qualname)
            return line

        return call

    def _tests_of(self, edit: Edit, known: Baseline) -> list[str]:
        """The tests that could notice, those first that run the changed line and the one below it,
        such as what a condition guards."""

        def rank(nodeid: str) -> tuple[bool, bool, int, float]:
            took_s, _, lines = known[nodeid]
            is_off = edit.line not in lines, edit.line + 1 not in lines
            return *is_off, -self.kills.get(nodeid, 0), took_s

        could = (n for n in known if n in self.items)
        if not edit.is_constant:
            could = (n for n in could if edit.where in known[n][1])
        return sorted(could, key=rank)

    def _meet(self, edit: Edit, known: Baseline) -> None:
        state, name = self.plugin.state, self.module.name
        key = edit.key(name)
        self.plugin.at = name, key
        if state.gave_up(name, key, "hangs") > 1:
            state.end(self._result(edit, "killed", "it hangs in two processes"))
            return
        if state.gave_up(name, key, "unclear") > 1:
            state.end(self._result(edit, "survived", "its tests fail without it too"))
            return
        tests = self._tests_of(edit, known)
        for nodeid in tests:
            item, limit_s = self.items[nodeid], max(AT_LEAST_S, TIMES * known[nodeid][0])
            with patched(self.living, edit, self.text):
                failure = self._failure(item, limit_s=limit_s)
            if not failure:
                continue
            if self._failure(item, limit_s=limit_s):
                self.plugin.leave("unclear", f"{nodeid} fails without the mutant too")
            self.kills[nodeid] = self.kills.get(nodeid, 0) + 1
            state.end(self._result(edit, "killed", nodeid, failure))
            return
        state.end(self._result(edit, "survived", f"{len(tests)} tests"))

    def _failure(self, item: Any, *, limit_s: float) -> str:
        """What a test that fails says, in a line; every fixture but the session's is made anew."""
        self.plugin.ends_at = time.monotonic() + limit_s
        next_item = cast(pytest.Item, self.session)  # all that is not the session's is torn down
        with catch_warnings_for_item(item.config, item.ihook, "runtest", item):
            reports = runtestprotocol(item, log=False, nextitem=next_item)
        self.plugin.ends_at = None
        failed = [report for report in reports if report.failed]
        if not failed:
            return ""
        lines = [line for line in failed[0].longreprtext.splitlines() if line.startswith("E ")]
        return (lines or ["fails"])[0].removeprefix("E ").strip()[:160]

    def _result(self, edit: Edit, outcome: str, by: str, failure: str = "") -> Result:
        return Result(
            module=self.module.name,
            key=edit.key(self.module.name),
            place=f"{os.path.relpath(self.path)}:{edit.line}",
            where=edit.where,
            change=edit.sentence(),
            outcome=outcome,
            by=by,
            failure=failure,
        )
