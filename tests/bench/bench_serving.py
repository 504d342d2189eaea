"""Serving compared: ours, the naive pipeline, LitServe, and three ways to change adapters.

All servers are up at once with the same weights and one torch thread each; every round measures
every contender, so that what disturbs the machine disturbs all of them.

    python -m tests.bench.bench_serving --rounds 5
    python -m tests.bench.bench_serving --only live queue    (replaces those rows alone)
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import bench_live, serving_engine, serving_model, serving_tuning
from tests.bench.report import ROOT, Row, publish

FOLDER = ROOT / "var" / "bench" / "serving"
LITSERVE_PYTHON = ROOT / "var" / "bench" / "venv" / "bin" / "python"
CONCURRENCY = 8
MIX = (2, 4, 8, 20)
LOAD = 0.8


@dataclass(frozen=True, slots=True)
class Effort:
    """How much each round asks for."""

    rounds: int
    uniform: int = 96
    mixed: int = 40
    adapters: int = 100
    swapped: int = 32
    is_tiny: bool = False

    @classmethod
    def tiny(cls) -> Effort:
        return cls(rounds=1, uniform=4, mixed=4, adapters=3, swapped=2, is_tiny=True)


class Server:
    """A contender's process, asked over HTTP."""

    def __init__(self, name: str, command: Sequence[str], port: int) -> None:
        self.name = name
        self.port = port
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def wait(self) -> None:
        for _ in range(3000):  # a hundred adapters take diffusers minutes
            if self._process.poll() is not None:
                raise SystemExit(f"{self.name} ended: {' '.join(map(str, self._process.args))}")  # type: ignore[arg-type]  # args is our own list of strings
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit(f"{self.name} did not start")

    def ask(self, **call: Any) -> float:
        """Seconds until the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=300)
        body = json.dumps({"adapter": None, "seed": 0} | call)
        started = time.perf_counter()
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        payload = answer.read()
        took = time.perf_counter() - started
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"{self.name} answered {answer.status}: {payload[:200]!r}")
        return took

    def stop(self) -> None:
        """End the server and the workers it started, all in a process group of their own."""
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def servers(names: Sequence[str], folder: Path) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        started: dict[str, Server] = {}
        for name in names:
            port = free_port()
            python, module = sys.executable, "tests.bench.serving_contenders"
            arguments = [name, str(port), str(folder)]
            if name == "litserve":
                python, module = str(LITSERVE_PYTHON), "tests.bench.serving_litserve"
                arguments = arguments[1:]
            started[name] = Server(name, [python, "-m", module, *arguments], port)
            stack.callback(started[name].stop)
        for server in started.values():
            server.wait()
            for _ in range(3):
                server.ask(prompt="warm up", steps=2, adapter=0)
        yield started


def images_per_s(server: Server, calls: list[dict[str, Any]]) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(lambda call: server.ask(**call), calls))
    return len(calls) / (time.perf_counter() - started)


def uniform(server: Server, count: int) -> float:
    return images_per_s(
        server, [{"prompt": f"picture {n}", "steps": 4, "seed": n} for n in range(count)]
    )


def swapped(server: Server, count: int, adapters: int, rng: random.Random) -> float:
    """Images/s when every request names one of `adapters` at random."""
    calls = [
        {"prompt": "a picture", "steps": 4, "seed": n, "adapter": rng.randrange(adapters)}
        for n in range(count)
    ]
    return images_per_s(server, calls)


def behind_a_long_one(server: Server) -> float:
    """Seconds for two steps asked for 0.1 s after fifty."""
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(server.ask, prompt="long", steps=50)
        time.sleep(0.1)
        took = server.ask(prompt="short", steps=2)
        long.result()
    return took


def interactive_p95(server: Server, count: int, per_s: float, seed: int) -> float:
    """Seconds, 95th percentile of the 2-step requests in a Poisson stream of 2, 4, 8, 20 steps."""
    rng = random.Random(seed)
    gaps = [rng.expovariate(per_s) for _ in range(count)]
    steps = [rng.choice(MIX) for _ in range(count)]
    steps[count // 2] = MIX[0]
    with ThreadPoolExecutor(count) as pool:
        pending = []
        for number, (gap, own) in enumerate(zip(gaps, steps, strict=True)):
            time.sleep(gap)
            pending.append(pool.submit(server.ask, prompt=f"{number}", steps=own, seed=number))
        took = [future.result() for future in pending]
    short = sorted(took[i] for i in range(count) if steps[i] == MIX[0])
    return short[min(len(short) - 1, int(0.95 * len(short)))]


def ratio_row(name: str, rounds: list[float], against: str, must: float, aim: float) -> Row:
    return Row(name, median(rounds), "x", min(rounds), max(rounds), "higher", must, aim, against)


def speed_row(name: str, rounds: list[float], unit: str) -> Row:
    better: Any = "higher" if unit == "images/s" else "lower"
    return Row(name, median(rounds), unit, min(rounds), max(rounds), better)


def compare_batching(folder: Path, effort: Effort) -> list[Row]:
    """Uniform throughput, head-of-line delay and the mixed stream."""
    names = ["naive", "litserve", "ours"]
    speed: dict[str, list[float]] = {name: [] for name in names}
    delay: dict[str, list[float]] = {"litserve": [], "ours": []}
    p95: dict[str, list[float]] = {"litserve": [], "ours": []}
    with servers(names, folder) as running:
        capacity = uniform(running["litserve"], effort.uniform)
        per_s = LOAD * capacity * 4 / (sum(MIX) / len(MIX))
        for number in range(effort.rounds):
            for name in names:
                speed[name].append(uniform(running[name], effort.uniform))
            for name in delay:
                delay[name].append(behind_a_long_one(running[name]))
            for name in p95:
                p95[name].append(interactive_p95(running[name], effort.mixed, per_s, number))
            print(f"round {number + 1} of {effort.rounds}", flush=True)

    def over(a: list[float], b: list[float]) -> list[float]:
        return [x / y for x, y in zip(a, b, strict=True)]

    return [
        *(speed_row(f"uniform_4_steps_{n}", speed[n], "images/s") for n in names),
        ratio_row(
            "uniform_4_steps_vs_naive", over(speed["ours"], speed["naive"]), "naive", 1.8, 2.5
        ),
        ratio_row(
            "uniform_4_steps_vs_litserve",
            over(speed["ours"], speed["litserve"]),
            "LitServe, batch 8",
            1.0,
            1.2,
        ),
        *(speed_row(f"2_steps_behind_50_{n}", delay[n], "s") for n in delay),
        ratio_row(
            "2_steps_behind_50_vs_litserve",
            over(delay["litserve"], delay["ours"]),
            "LitServe, batch 8",
            8,
            15,
        ),
        *(speed_row(f"interactive_p95_mixed_{n}", p95[n], "s") for n in p95),
        ratio_row(
            "interactive_p95_mixed_vs_litserve",
            over(p95["litserve"], p95["ours"]),
            f"LitServe, batch 8, {per_s:.2g} requests/s",
            4,
            8,
        ),
    ]


def compare_adapters(folder: Path, effort: Effort) -> list[Row]:
    """A hundred adapters at random."""
    names = ["load_unload", "hotswap", "resident", "ours"]
    many: dict[str, list[float]] = {name: [] for name in names}
    one: list[float] = []
    with servers(names, folder) as running:
        for number in range(effort.rounds):
            for name in names:
                count = effort.uniform if name == "ours" else effort.swapped
                rng = random.Random(number)
                many[name].append(swapped(running[name], count, effort.adapters, rng))
            one.append(swapped(running["ours"], effort.uniform, 1, random.Random(number)))
            print(f"round {number + 1} of {effort.rounds}", flush=True)
    targets = {"load_unload": (5, 8), "hotswap": (2.3, 4), "resident": (8, 12)}
    rows = [speed_row(f"{effort.adapters}_adapters_{n}", many[n], "images/s") for n in names]
    for name, (must, aim) in targets.items():
        ratios = [x / y for x, y in zip(many["ours"], many[name], strict=True)]
        label = f"images_per_s_{effort.adapters}_adapters_vs_{name}"
        rows.append(ratio_row(label, ratios, name, must, aim))
    ratios = [x / y for x, y in zip(many["ours"], one, strict=True)]
    label = f"images_per_s_{effort.adapters}_adapters_over_one"
    return [*rows, ratio_row(label, ratios, "ours, one adapter", 0.90, 0.97)]


def measure_queue(folder: Path, effort: Effort) -> list[Row]:
    """A flooder among nine users, and accepting requests: in a process with servers of its own."""
    path = folder / "queue.json"
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.bench_queue", str(path)]
    subprocess.run([*command, *(["--tiny"] if effort.is_tiny else [])], cwd=ROOT, check=True)
    return [Row(**row) for row in json.loads(path.read_text())]


def measure_live(folder: Path, effort: Effort) -> list[Row]:
    return bench_live.rows(effort.uniform if effort.is_tiny else 60)


def measure_engine(folder: Path, effort: Effort) -> list[Row]:
    return serving_engine.rows(folder, rounds=effort.rounds)


def measure_tuning(folder: Path, effort: Effort) -> list[Row]:
    return serving_tuning.rows(effort.rounds)


PARTS: dict[str, Callable[[Path, Effort], list[Row]]] = {
    "batching": compare_batching,
    "adapters": compare_adapters,
    "queue": measure_queue,
    "engine": measure_engine,
    "tuning": measure_tuning,
    "live": measure_live,
}


def measure(effort: Effort, folder: Path, only: Sequence[str]) -> list[Row]:
    if set(only) - {"live", "tuning"}:
        serving_model.build(folder, adapters=effort.adapters)
    folder.mkdir(parents=True, exist_ok=True)
    return [row for name in only for row in PARTS[name](folder, effort)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true", help="try everything once, publish nothing")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    options = parser.parse_args()
    if options.tiny:
        from tests.bench.report import print_table

        print_table(measure(Effort.tiny(), FOLDER.with_name("serving-tiny"), options.only))
        return
    rows = measure(Effort(rounds=options.rounds), FOLDER, options.only)
    publish("serving", rows, keeps_others=len(options.only) < len(PARTS))


if __name__ == "__main__":
    main()
