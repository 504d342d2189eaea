"""What a picture was made from, walked to its end and drawn; headlines that gloss over nothing."""

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client
from numpy.typing import NDArray

from provenance.assets import marking
from provenance.keys import key_folder
from provenance.log import transparency_log
from provenance.manifests.content_credentials import Signer
from provenance.manifests.definition import ManifestClaim, Parent
from provenance.manifests.manifest_reading import Ingredient
from provenance.models import Asset
from provenance.verify import examination
from provenance.verify.judgements import of_manifest, told
from provenance.verify.verdicts import LineageNode, lineage_of
from tests.provenance.conftest import NOW, SYSTEM, Marked
from tests.provenance.files import CLAIM, saved
from tests.provenance.pictures import drawing
from tests.rewriting import rewritten

Mark = Callable[[NDArray[np.uint8]], Marked]


def ingredient(title: str, depth: int) -> Ingredient:
    return Ingredient(title, "parentOf", depth, ())


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ("", ""),
        ("a1", "a()"),
        ("a1 b2 c3", "a(b(c()))"),
        ("a1 b1 c1", "a() b() c()"),
        ("a1 b2 c2 d1 e2 f3 g1", "a(b() c()) d(e(f())) g()"),
    ],
)
def test_flat_list_becomes_the_tree_that_it_stands_for(flat: str, nested: str) -> None:
    def drawn(nodes: Sequence[LineageNode]) -> str:
        return " ".join(f"{node.ingredient.title}({drawn(node.made_from)})" for node in nodes)

    found = lineage_of([ingredient(word[0], int(word[1])) for word in flat.split()])
    assert drawn(found) == nested


def made_from(parent: bytes, title: str, seed: int) -> bytes:
    """A picture of ours that was made from another, in the log."""
    asset_id = uuid4()
    marked = marking.embed(drawing(seed, 256), asset_id=asset_id)
    sealed = marking.seal(
        marked,
        asset_id=asset_id,
        created_at=NOW,
        system=SYSTEM,
        parent=Parent(parent, "image/png", title),
    )
    marking.record(sealed, asset_id=asset_id, owner_pseudonym="p", at=NOW)
    transparency_log.sequence(at=NOW)
    return sealed.data


def page_of(client: Client, data: bytes) -> str:
    file = io.BytesIO(data)
    file.name = "a.png"
    return re.sub(r"\s+", " ", client.post("/verify/", {"file": file}).text)


@pytest.fixture
def foreign(tmp_path: Path) -> bytes:
    """A picture that a stranger signed."""
    claim = ManifestClaim("theirs", "Camera <b>Obscura</b>", "1", "lens", NOW, "00")
    stranger = Signer(key_folder.load_or_make(tmp_path))
    return stranger.sign(saved(drawing(9, 256), "PNG"), "image/png", claim=claim).data


def test_history_is_walked_and_drawn(client: Client, db: None, foreign: bytes) -> None:
    child = made_from(made_from(foreign, "holiday.png", 2), "first try", 4)
    findings = [
        (item.title, item.depth, item.finding, item.is_generated)
        for item in examination.check(child, at=NOW).manifest.ingredients
    ]
    assert findings == [
        ("first try", 1, "holds", True),
        ("holiday.png", 2, "unknown_signer", True),
    ]
    page = page_of(client, child)
    assert page.index("This picture</b>") < page.index("first try") < page.index("holiday.png")
    assert "Signer unknown here" in page
    assert "Camera &lt;b&gt;Obscura" in page
    assert "This picture comes from this system.</h1>" in page


def test_broken_link_is_named_in_words(client: Client, db: None, foreign: bytes) -> None:
    middle = bytearray(made_from(foreign, "holiday.png", 2))
    middle[-4] ^= 1
    child = made_from(bytes(middle), "first try", 4)
    page = page_of(client, child)
    assert "but one of its marks does not hold.</h1>" in page
    assert "See what is said under “Content Credentials”" in page
    assert "a picture that went into it is not: “first try”" in page
    assert "Changed after it was signed" in page


def test_picture_without_credentials_is_no_fault(client: Client, db: None) -> None:
    child = made_from(saved(drawing(9, 256), "PNG"), "sketch", 2)
    report = examination.check(child, at=NOW)
    assert report.manifest.verdict == "found_good"
    assert [item.finding for item in report.manifest.ingredients] == ["no_credentials"]
    assert "Without credentials" in page_of(client, child)


def test_headline_does_not_gloss_over_a_bad_log(mark: Mark) -> None:
    marked = mark(drawing(2, 256))
    with rewritten(Asset):
        Asset.objects.filter(id=marked.id).update(sha256="0" * 64)
    report = examination.check(marked.sealed.data, at=NOW)
    assert report.is_ours
    assert "one of its marks does not hold" in report.headline
    assert "“Public log”" in report.explanation


def test_likeness_does_not_claim_the_log_s_entry(mark: Mark) -> None:
    mark(drawing(2, 512))
    report = examination.check(saved(drawing(2, 512), "PNG"), at=NOW)
    assert not report.is_ours
    assert "looks like this one" in report.log.sentence
    assert "only the likeness says" in report.log.proves


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 4, 5, 6, tzinfo=UTC), "4 Mar 2026, 05:06 UTC"),
        ("2026-11-24T12:00:00+01:00", "24 Nov 2026, 11:00 UTC"),
        ("yesterday", "yesterday"),
    ],
)
def test_times_are_told_as_people_read_them(moment: datetime | str, text: str) -> None:
    assert told(moment) == text


def test_tampered_parent_makes_the_manifest_bad(tmp_path: Path) -> None:
    own = Signer(key_folder.load_or_make(tmp_path))
    parent = bytearray(own.sign(saved(drawing(9, 256), "PNG"), "image/png", claim=CLAIM).data)
    parent[-200] ^= 1
    made_from = Parent(bytes(parent), "image/png")
    child = own.sign(saved(drawing(2, 256), "PNG"), "image/png", claim=CLAIM, parent=made_from)
    assert of_manifest(own.read(child.data, "image/png")).verdict == "found_bad"
