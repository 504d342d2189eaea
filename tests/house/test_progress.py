"""A start is waited for as long as it lives and moves, however slow the machine is."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import count, islice

from config.launch.readiness import SAY_EVERY_S, STILL_S, Waiting, cpu_ticks


def waiting(ticks: list[int], said: list[str]) -> Waiting:
    """A look every second; `ticks` is what the process has done by then, for ever the last."""
    seconds, done = count(), iter(ticks)
    return Waiting(
        "the web server",
        1,
        say=said.append,
        clock=lambda: float(next(seconds)),
        ticks=lambda group: next(done, ticks[-1]),
        pause_s=0,
    )


def test_a_slow_start_that_moves_is_waited_for_and_told_of() -> None:
    said: list[str] = []
    looks = waiting(list(range(1000)), said).looks()
    assert len(list(islice(looks, 900))) == 900
    assert said[0] == f"· waiting for the web server, which is at work: {SAY_EVERY_S + 1:.0f} s"
    assert len(said) > 50


def test_one_that_does_nothing_for_a_minute_is_given_up() -> None:
    assert len(list(waiting([5], []).looks())) == STILL_S + 2


def test_a_pause_is_forgiven_once_it_moves_again() -> None:
    moves = [1] * 50 + [2] * 50 + [3]
    assert len(list(waiting(moves, []).looks())) > 150


def test_work_of_a_whole_process_group_counts_as_progress() -> None:
    """Granian's first process does nothing: what starts is the process below it."""
    busy = "import os, time\nif os.fork(): time.sleep(600)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", busy], start_new_session=True) as child:
        before = cpu_ticks(child.pid)
        while cpu_ticks(child.pid) < before + 5:
            assert child.poll() is None
        os.killpg(child.pid, 9)
