"""A worker outlives the broker: what cannot be acknowledged is told, and ends nothing."""

import logging

import pytest
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.utils import functional

from config.runtime import broker_loss


@pytest.mark.parametrize("ends", ["ack_log_error", "reject_log_error"])
def test_ticket_that_ends_after_its_channel_was_closed_raises_nothing(
    ends: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker_loss.endure()
    with Connection(settings.CELERY_BROKER_URL) as connection:
        queue = connection.SimpleQueue(f"lost-{ends}")  # the servers end with the run
        queue.put({"ticket": 1})
        message = queue.get(timeout=10)
        assert message.channel
        message.channel.close()
        getattr(message, ends)(logging.getLogger("worker"), connection.connection_errors)
    assert any(record.levelno == logging.CRITICAL for record in caplog.records)


def test_worker_asks_again_for_its_broker_every_few_seconds_however_long_it_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker_loss.endure()
    paused: list[float] = []
    monkeypatch.setattr(functional, "sleep", paused.append)
    with Connection("redis://127.0.0.1:1/0") as connection, pytest.raises(OperationalError):
        connection.ensure_connection(lambda *_: None, 20)
    assert len(paused) >= 10
    assert max(paused) <= 5
