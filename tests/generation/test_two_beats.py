"""Two beats that run at once, as during a deploy: nothing is done twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from adapters.models import BaseModel
from generation.models import GeneratedImage, GenerationRequest, RequestStatus
from provenance.log import recomputation, transparency_log
from provenance.models import Leaf, LogEntry
from tests.factories import make_request
from tests.generation.processes import LOG, celery_worker, kill, log_tail, wait_until
from tests.generation.processes import test_database_url as database_url

pytestmark = pytest.mark.django_db(transaction=True)
NOTED = 50


@contextmanager
def beat(schedule: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that sends what the clock says, with a schedule file of its own."""
    variables = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PROOFSHEET_STATE_DIR": str(settings.STATE_DIR),
        "DATABASE_URL": database_url(),
        "BROKER_URL": settings.BROKER_URL,
        "CACHE_URL": settings.CACHE_URL,
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "beat", "-s", str(schedule)]
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            [*command, "--pidfile="],
            cwd=settings.ROOT,
            env=os.environ | variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


def is_all_done() -> bool:
    waiting = LogEntry.objects.filter(pending__isnull=False).exists()
    return not waiting and not GenerationRequest.objects.filter(ended_at__isnull=True).exists()


@pytest.mark.slow
def test_two_beats_at_once_double_nothing(alice: User, tiny: BaseModel, tmp_path: Path) -> None:
    """What was lost is sent again by both of them: prompts to screen, tickets, the log's work."""
    requests = [
        make_request(alice, tiny, status=status, steps=8, seed=seed, created_at=timezone.now())
        for seed in range(2)
        for status in (RequestStatus.SUBMITTED, RequestStatus.QUEUED)
    ]
    for _ in range(NOTED):
        transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=timezone.now())
    with ExitStack() as house:
        beats = [house.enter_context(beat(tmp_path / name)) for name in ("one", "two")]
        house.enter_context(celery_worker(queue="gpu,cpu,beat,outbox"))
        wait_until(is_all_done, seconds=400, pause=0.5)
        assert [process.poll() for process in beats] == [None, None], log_tail()
    ends = GenerationRequest.objects.values_list("status", "code", "attempts")
    assert list(ends) == [("finished", "", 1)] * len(requests), log_tail()
    assert GeneratedImage.objects.count() == len(requests)
    assert LogEntry.objects.filter(kind="asset.marked").count() == len(requests)
    assert Leaf.objects.count() == LogEntry.objects.count() >= NOTED + len(requests)
    assert recomputation.audit().fault is None
