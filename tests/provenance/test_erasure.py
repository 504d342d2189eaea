"""What is kept about a picture can go; the log and its proofs stay."""

from uuid import uuid4

import pytest
from django.core.management import call_command

from provenance import canonical, erasure, log, log_audit, verify
from provenance.models import Asset, Leaf
from tests.provenance.conftest import NOW, Marked


@pytest.fixture
def erased(astronaut: Marked) -> Marked:
    assert erasure.erase([astronaut.id, uuid4()], at=NOW) == 1
    log.sequence(at=NOW)
    return astronaut


def test_record_and_salt_are_gone_and_a_tombstone_stands(erased: Marked) -> None:
    assert not Asset.objects.filter(id=erased.id).exists()
    leaves = Leaf.objects.filter(entry__subject=erased.id).order_by("index")
    assert [leaf.entry.kind for leaf in leaves] == ["asset.marked", "asset.erased"]


def test_every_proof_still_verifies(erased: Marked) -> None:
    for leaf in Leaf.objects.all():
        log.verify_proof(log.prove_inclusion(leaf.index))
    assert log_audit.audit().fault is None


def test_guessed_owner_cannot_be_checked_without_the_salt(erased: Marked) -> None:
    entry = Leaf.objects.filter(entry__kind="asset.marked", entry__subject=erased.id).get().entry
    told = canonical.decode(bytes(entry.body))["body"]["commitments"]
    assert told["owner"] != log.commitment(b"", "p")
    assert told["owner"] != log.commitment(bytes(32), "p")


def test_erased_picture_is_still_looked_at(erased: Marked) -> None:
    report = verify.check(erased.sealed.data, at=NOW)
    assert report.manifest.verdict == "found_good"
    assert report.log.verdict == "absent"


def test_second_erasure_appends_nothing(erased: Marked) -> None:
    call_command("erase_assets", str(erased.id))
    assert log.sequence(at=NOW) == 0
