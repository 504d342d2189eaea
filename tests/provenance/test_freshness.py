"""An idle log keeps signing the time; one that stands still does not."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from provenance.keys.installed_keys import keyring
from provenance.log import freshness, recomputation, transparency_log
from provenance.log.formats import checkpoint
from provenance.models import Freshness
from tests.provenance.conftest import NOW

ORIGIN = "localhost/proofsheet"


@pytest.mark.django_db
def test_idle_log_is_signed_again_with_the_time(client: Client) -> None:
    transparency_log.sequence(at=NOW)
    later = NOW + timedelta(seconds=61)
    assert freshness.refresh(at=NOW)
    assert not freshness.refresh(at=NOW + timedelta(seconds=30))
    assert freshness.refresh(at=later)
    note = client.get("/log/checkpoint").text
    key = keyring().log_key.public_key()
    assert checkpoint.verify(note, origin=ORIGIN, key=key).tree_size == 0
    assert checkpoint.cosigned_at(note, name=ORIGIN, key=key) == int(later.timestamp())
    assert Freshness.objects.count() == 1


@pytest.mark.django_db
def test_changed_time_is_refused() -> None:
    transparency_log.sequence(at=NOW)
    freshness.refresh(at=NOW)
    other = checkpoint.TreeHead(ORIGIN, 0, b"0" * 32)
    line = checkpoint.cosign(other, name=ORIGIN, key=keyring().log_key, unix_time=5)
    note = transparency_log.latest_checkpoint().note + line
    with pytest.raises(checkpoint.NoteInvalid, match="no valid cosignature"):
        checkpoint.cosigned_at(note, name=ORIGIN, key=keyring().log_key.public_key())


@pytest.mark.django_db
def test_clock_that_was_set_back_takes_no_time_back(client: Client) -> None:
    """The log has said a later time already: it says nothing until the clock is past it again."""
    transparency_log.sequence(at=NOW)
    assert freshness.refresh(at=NOW + timedelta(hours=1))
    assert not freshness.refresh(at=NOW)
    key = keyring().log_key.public_key()
    told = checkpoint.cosigned_at(client.get("/log/checkpoint").text, name=ORIGIN, key=key)
    assert told == int((NOW + timedelta(hours=1)).timestamp())
    transparency_log.append(kind="test.made", subject=uuid4(), body={}, at=NOW)
    assert transparency_log.sequence(at=NOW) == 1
    assert recomputation.audit().fault is None
