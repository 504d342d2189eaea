"""What is kept about a picture can go; the log and its proofs stay."""

from uuid import uuid4

import pytest
from django.core.management import call_command

from provenance.assets import erasure
from provenance.log import recomputation, transparency_log
from provenance.log.formats import canonical_json
from provenance.models import Asset, Leaf
from provenance.verify import examination
from tests.provenance.conftest import NOW, Marked


@pytest.fixture
def erased(astronaut: Marked) -> Marked:
    assert erasure.erase([astronaut.id, uuid4()], at=NOW) == 1
    transparency_log.sequence(at=NOW)
    return astronaut


def test_record_and_salt_are_gone_and_a_tombstone_stands(erased: Marked) -> None:
    assert not Asset.objects.filter(id=erased.id).exists()
    leaves = Leaf.objects.filter(entry__subject=erased.id).order_by("index")
    assert [leaf.entry.kind for leaf in leaves] == ["asset.marked", "asset.erased"]


def test_every_proof_still_verifies(erased: Marked) -> None:
    for leaf in Leaf.objects.all():
        transparency_log.verify_proof(transparency_log.prove_inclusion(leaf.index))
    assert recomputation.audit().fault is None


def test_guessed_owner_cannot_be_checked_without_the_salt(erased: Marked) -> None:
    entry = Leaf.objects.filter(entry__kind="asset.marked", entry__subject=erased.id).get().entry
    told = canonical_json.decode(bytes(entry.body))["body"]["commitments"]
    assert told["owner"] != transparency_log.commitment(b"", "p")
    assert told["owner"] != transparency_log.commitment(bytes(32), "p")


def test_erased_picture_is_still_looked_at(erased: Marked) -> None:
    report = examination.check(erased.sealed.data, at=NOW)
    assert report.manifest.verdict == "found_good"
    assert report.log.verdict == "absent"


def test_second_erasure_appends_nothing(erased: Marked) -> None:
    call_command("erase_assets", str(erased.id))
    assert transparency_log.sequence(at=NOW) == 0
