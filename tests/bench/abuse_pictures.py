"""What a stranger's most costly pictures take from a running house: for `make bench-abuse`.

The house that `make run` starts is sent small files that ask for as much work as is admitted,
one after the other and eight at once, on the verify API and on the soft binding API. CPU seconds
and memory are those of the web process and all its children, as the kernel counts them; memory is
the proportional set size above that of the idle house.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from tests.bench.bench_pipeline import house
from tests.bench.report import Row
from tests.provenance.big_pictures import many_scans, plain_png

AT_ONCE = 8
TICKS = os.sysconf("SC_CLK_TCK")
VERIFY, BY_CONTENT = "/api/v1/verify/", "/sbr/matches/byContent"


def measure() -> list[Row]:
    os.environ["API_RATE_VERIFY"] = "100000/min"
    files = worst_files()
    with house() as (base, _):
        web = _Web(base)
        for path in (VERIFY, BY_CONTENT):
            web.send(files["png"], path)  # imports, keys, patterns
        alone = [web.cost(partial(web.send, data, VERIFY)) for data in files.values()]
        by_content = web.cost(partial(web.send, files["png"], BY_CONTENT))
        together, slowest_s, busy = web.eight(list(files.values()))
    seconds, megabytes = (max(each[place] for each in alone) for place in (0, 1))
    low = [min(each[place] for each in alone) for place in (0, 1)]
    return [
        Row("picture_worst_cpu_s", seconds, "CPU s", low[0], seconds, must=1.5),
        Row("picture_worst_memory_mb", megabytes, "MB", low[1], megabytes, must=250),
        Row("picture_sbr_cpu_s", by_content[0], "CPU s", must=1.5),
        Row("picture_sbr_memory_mb", by_content[1], "MB", must=250),
        Row("picture_eight_memory_mb", together[1], "MB", must=1024),
        Row("picture_eight_told_busy", busy, f"of {AT_ONCE}"),
        Row("picture_eight_others_page_s", slowest_s, "s", must=1.0),
    ]


def worst_files() -> dict[str, bytes]:
    """The dearest file of each kind that is still admitted."""
    return {
        "png": plain_png(8000, 6370),
        "interlaced": plain_png(8000, 5000, colour=6, is_interlaced=True),
        "deep": plain_png(5000, 4000, depth=16, colour=6),
        "grey": plain_png(8000, 6370, depth=16, colour=0),
        "progressive": _jpeg(7000, 4800, subsampling=0, progressive=True),
        "scans": many_scans(7000, 4800, 29),
        "webp": _saved(Image.new("RGBA", (8000, 4000), (90, 120, 60, 99)), "WEBP", lossless=True),
        "avif": _saved(_noise(4000, 4000), "AVIF", speed=10, subsampling="4:4:4"),
    }


def _noise(width: int, height: int) -> Image.Image:
    coarse = np.random.default_rng(1).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height))


def _jpeg(width: int, height: int, **options: object) -> bytes:
    return _saved(_noise(width, height), "JPEG", quality=80, **options)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


class _Web:
    """A house's web process from outside."""

    def __init__(self, base: str) -> None:
        at = urlsplit(base)
        self._address = (at.hostname or "", at.port or 0)
        self._pid = _listener(self._address[1])

    def send(self, data: bytes, path: str) -> int:
        """The status of the answer to a file."""
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="p"\r\n\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        return self._ask("POST", path, head + data + b"\r\n--b--\r\n", headers)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> int:
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def cost(self, act: Callable[[], object]) -> tuple[float, float]:
        """CPU seconds and the most megabytes above what is there before."""
        before, seconds = self._memory_mb(), self._cpu_s()
        with self._watched() as seen:
            act()
        return round(self._cpu_s() - seconds, 2), round(max(seen) - before)

    def eight(self, files: list[bytes]) -> tuple[tuple[float, float], float, int]:
        """What eight at once cost, the slowest page that somebody else got, how many were told to
        come back."""
        statuses: list[int] = []
        pages: list[float] = []
        ended = Event()

        def others() -> None:
            while not ended.is_set():
                began = time.perf_counter()
                self._ask("GET", "/")
                pages.append(time.perf_counter() - began)

        def all_at_once() -> None:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                statuses.extend(pool.map(partial(self.send, path=VERIFY), files[:AT_ONCE]))

        visitor = Thread(target=others)
        visitor.start()
        cost = self.cost(all_at_once)
        ended.set()
        visitor.join()
        assert set(statuses) <= {200, 503}, statuses
        return cost, round(max(pages), 3), statuses.count(503)

    @contextmanager
    def _watched(self) -> Iterator[list[float]]:
        seen, ended = [self._memory_mb()], Event()

        def watch() -> None:
            while not ended.wait(0.02):
                seen.append(self._memory_mb())

        watcher = Thread(target=watch)
        watcher.start()
        yield seen
        ended.set()
        watcher.join()

    def _family(self) -> set[int]:
        parents = {pid: int(stat[1]) for pid, stat in _stats()}
        family = {self._pid}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return family

    def _memory_mb(self) -> float:
        return sum(_pss_kb(pid) for pid in self._family()) / 1024

    def _cpu_s(self) -> float:
        """Of the family and of the children that each has waited for."""
        family = self._family()
        own = (sum(map(int, stat[11:15])) for pid, stat in _stats() if pid in family)
        return sum(own) / TICKS


def _stats() -> Iterator[tuple[int, list[str]]]:
    """Every process with its fields of proc(5)'s stat, from the state on."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                yield int(folder.name), (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _listener(port: int) -> int:
    """The oldest process that was told to serve this port as a web server."""
    found = []
    for pid, stat in _stats():
        line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if stat[0] != "Z" else []
        if any(b"granian" in part for part in line) and str(port).encode() in line:
            found.append(pid)
    return min(found)


if __name__ == "__main__":
    print(json.dumps([asdict(row) for row in measure()], indent=1))
