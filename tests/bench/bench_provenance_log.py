"""The log's part of `make bench-provenance`: appends by several processes, proofs, the audit."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
from django.db import connection

from provenance.log import recomputation, transparency_log
from tests.bench.report import Row

NOW = datetime(2026, 11, 24, tzinfo=UTC)
Spread = Callable[[str, list[float], str, float | None], Row]


def log_figures(leaves: int, seconds: float, spread: Spread) -> Iterator[Row]:
    """Appends by one and by eight processes beside one sequencer; proofs over `leaves` entries."""
    for clients in (1, 8):
        took, placed = _appends(clients, seconds)
        yield Row(
            f"appends_per_s_{clients}_clients", round(len(took) / seconds), "1/s",
            better="higher", must=4000 if clients == 8 else None,
        )  # fmt: skip
        yield Row(
            f"placed_per_s_{clients}_clients", round(placed / seconds), "1/s", better="higher"
        )
        p99 = round(float(np.quantile(took, 0.99)), 2)
        yield Row(f"append_ms_p99_{clients}_clients", p99, "ms", must=10 if clients == 8 else None)
    start = perf_counter()
    _fill(leaves)
    placing = transparency_log.sequence(at=NOW)
    yield Row(
        "bulk_placed_per_s", round(placing / (perf_counter() - start)), "1/s", better="higher"
    )
    yield from _proofs(spread)


def _proofs(spread: Spread) -> Iterator[Row]:
    size = transparency_log.latest_checkpoint().tree_size
    random = np.random.default_rng(5)
    places = [int(place) for place in random.integers(size, size=200)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    proofs = []
    prove: list[float] = []
    verify: list[float] = []
    for place in places:
        start = perf_counter()
        proofs.append(transparency_log.prove_inclusion(place))
        prove.append((perf_counter() - start) * 1000)
    for proof in proofs:
        start = perf_counter()
        transparency_log.verify_proof(proof)
        verify.append((perf_counter() - start) * 1000)
    yield spread("proof_ms", prove, "ms", 2)
    yield Row("proof_leaves", size, "leaves", better="higher")
    yield spread("verify_proof_ms", verify, "ms", None)
    start = perf_counter()
    fault = recomputation.audit().fault
    assert fault is None, fault
    yield Row("audited_per_s", round(size / (perf_counter() - start)), "1/s", better="higher")


def _appends(clients: int, seconds: float) -> tuple[list[float], int]:
    """Milliseconds of every append, and how many entries were placed meanwhile."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "tests.bench.bench_provenance_client"]
    running = [
        subprocess.Popen(
            [*command, role, str(seconds)],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for role in ["sequence", *["write"] * clients]
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    outputs = []
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in running:
        outputs.append(json.loads(each.communicate()[0]))
    return [ms for took in outputs[1:] for ms in took], int(outputs[0])


def _fill(leaves: int) -> None:
    """Bring the outbox to at least this many entries, at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH made AS (INSERT INTO provenance_logentry (kind, subject, body, at)"
            " SELECT 'bench', gen_random_uuid(), convert_to('{\"n\":' || n || '}', 'UTF8'), now()"
            " FROM generate_series(1, %s) n RETURNING id)"
            " INSERT INTO provenance_pendingentry (entry_id) SELECT id FROM made",
            [leaves],
        )
