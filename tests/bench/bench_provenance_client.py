"""One process beside others: `python -m tests.bench.bench_provenance_client ROLE SECONDS`.

ROLE is write or sequence. Says "ready", waits for a line, works for so long, and prints what it did
as JSON: a writer the milliseconds of each append, committed and on disk; the sequencer the number
of entries that it gave their place.
"""

import json
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

import django

PAUSE_S = 0.1


def write(seconds: float) -> list[float]:
    from provenance.log import transparency_log

    body = {"sha256": "0" * 64, "manifest_sha256": "1" * 64}
    took: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        transparency_log.append(kind="bench", subject=uuid4(), body=body, at=datetime.now(UTC))
        took.append((time.perf_counter() - start) * 1000)
    return took


def sequence(seconds: float) -> int:
    from provenance.log import transparency_log

    placed, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        placed += transparency_log.sequence(at=datetime.now(UTC))
        time.sleep(PAUSE_S)
    return placed


def main(role: str, seconds: float) -> None:
    django.setup()
    work = {"write": write, "sequence": sequence}[role]
    work(0.0)
    from django.db import connection

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(work(seconds)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
