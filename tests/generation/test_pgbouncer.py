"""PgBouncer in transaction mode: each transaction may have another connection than the last one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from adapters.models import BaseModel
from config.celery import app
from config.launch.child_processes import free_port
from generation.models import GeneratedImage, GenerationRequest, RequestStatus
from generation.work import sweeper
from provenance.log import recomputation, transparency_log
from provenance.models import LogEntry
from tests.factories import make_request
from tests.generation.processes import celery_worker, log_tail, wait_until
from tests.generation.processes import test_database_url as database_url

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(not Path(PROGRAM).exists(), reason="pgbouncer is not on the PATH"),
]
Process = subprocess.CompletedProcess[str]
SERVERS = 2  # of all that work at once, so that they take turns on each
SETTINGS = """
[databases]
{name} = host={host} port={port} user={user} password={password} dbname={name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 200
"""
# Four at once walk over the log's entries, as exports and `verify_log` do.
READERS = """
import django, sys
from threading import Thread
django.setup()
from provenance.models import LogEntry
seen = []
def walk():
    seen.append(sum(1 for _ in LogEntry.objects.iterator(chunk_size=10)))
threads = [Thread(target=walk) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(*seen)
"""


@pytest.fixture
def pooled_url() -> Iterator[str]:
    """The test's database behind a pooler with fewer connections than it has clients."""
    parts = urlsplit(database_url())
    listens = free_port()
    said = {
        "name": parts.path.lstrip("/"),
        "host": parts.hostname,
        "port": parts.port,
        "user": parts.username,
        "password": unquote(parts.password or ""),
        "listens": listens,
        "servers": SERVERS,
    }
    file = settings.STATE_DIR / f"pgbouncer-{listens}.ini"
    file.write_text(SETTINGS.format(**said))
    file.chmod(0o644)
    as_nobody = ["-u", "nobody"] if os.getuid() == 0 else []
    process = subprocess.Popen([PROGRAM, *as_nobody, str(file)], stderr=subprocess.DEVNULL)
    url = f"postgresql://{parts.username}@127.0.0.1:{listens}/{said['name']}"
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("pgbouncer ended")


def run_behind(url: str, *words: str, pooler: str = "transaction") -> Process:
    variables = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PROOFSHEET_STATE_DIR": str(settings.STATE_DIR),
        "DATABASE_URL": url,
        "DATABASE_POOLER": pooler,
        "BROKER_URL": settings.BROKER_URL,
        "CACHE_URL": settings.CACHE_URL,
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=settings.ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_whoever_reads_long_lists_needs_no_cursor_of_the_servers(pooled_url: str) -> None:
    for _ in range(300):
        transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=timezone.now())
    assert run_behind(pooled_url, "-c", READERS).stdout.split() == ["300"] * 4
    told = run_behind(pooled_url, "-c", READERS, pooler="none").stderr
    assert 'cursor "_django_curs_' in told  # so the setting is needed, and the pooler at work


def test_pods_learn_behind_the_pooler_whether_their_tables_are_there(pooled_url: str) -> None:
    """The chart's pods ask so before they start."""
    done = run_behind(pooled_url, "manage.py", "migrate", "--check")
    assert done.returncode == 0, done.stderr


def test_workers_make_pictures_and_the_log_behind_it(
    alice: User, tiny: BaseModel, pooled_url: str
) -> None:
    now = timezone.now()
    requests = [
        make_request(alice, tiny, status=status, steps=8, seed=seed, created_at=now)
        for seed in range(3)
        for status in (RequestStatus.SUBMITTED, RequestStatus.QUEUED)
    ]
    pooled = {"DATABASE_URL": pooled_url, "DATABASE_POOLER": "transaction"}
    with celery_worker(queue="gpu,cpu,beat", **pooled):
        wait_until(_is_all_done, seconds=400, pause=0.5)
    ends = GenerationRequest.objects.values_list("status", "code", "attempts")
    assert list(ends) == [("finished", "", 1)] * len(requests), log_tail()
    assert GeneratedImage.objects.count() == len(requests)
    assert recomputation.audit().fault is None


def _is_all_done() -> bool:
    """As beat does, the sweeper sends what was lost, and the log is put in order."""
    sweeper.sweep(at=timezone.now())
    app.send_task("provenance.tasks.sequence_log", queue="beat")
    waits = LogEntry.objects.filter(pending__isnull=False).exists()
    return not waits and not GenerationRequest.objects.filter(ended_at__isnull=True).exists()
