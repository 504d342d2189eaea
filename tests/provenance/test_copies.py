"""Copies in another format are delivered at once and get their timestamp later."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from numpy.typing import NDArray

from provenance import tasks
from provenance.assets import erasure, transcode, waiting_copies
from provenance.keys.installed_keys import keyring
from provenance.manifests.content_credentials import SignedFile
from provenance.manifests.signing_context import signer
from provenance.models import Asset, Copy
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime
from provenance.rotation import authorities, key_rotation
from provenance.verify import examination
from tests.provenance.conftest import NOW, Marked
from tests.provenance.pictures import drawing, photograph
from tests.provenance.test_authorities import own_keys as own_keys
from tests.provenance.test_timestamps import clock as clock
from tests.provenance.tsa import Authority

Mark = Callable[[NDArray[np.uint8]], Marked]
FORMATS: list[Mime] = ["image/jpeg", "image/webp"]
MARKS = ("manifest", "signer", "log", "watermark", "fingerprint")


def copy_of(marked: Marked, mime: Mime = "image/jpeg") -> bytes:
    return transcode.in_format(marked.sealed.data, mime, asset_id=marked.id, at=NOW)


def timestamp_in(data: bytes, mime: Mime = "image/jpeg") -> str:
    return signer().read(data, mime).timestamp


@pytest.mark.parametrize("mime", FORMATS)
def test_copy_gets_its_time_after_it_was_delivered(
    clock: Authority, mark: Mark, mime: Mime
) -> None:
    marked = mark(photograph("coffee"))
    asked = len(clock.asked)
    first = copy_of(marked, mime)
    assert len(clock.asked) == asked  # no clock in the way of a download
    assert timestamp_in(first, mime) == "none"
    assert copy_of(marked, mime) == first
    tasks.date_log()
    later = copy_of(marked, mime)
    assert timestamp_in(later, mime) == "trusted"
    report = examination.check(later, at=NOW)
    assert {getattr(report, name).verdict for name in MARKS} == {"found_good"}
    assert "An independent timestamp says" in report.signer.proves
    assert [item.issues for item in report.manifest.ingredients] == [()]
    assert np.array_equal(decoder.read(later).pixels, decoder.read(first).pixels)
    row = Copy.objects.get()
    assert (row.is_timestamped, bytes(row.draft)) == (True, b"")


@pytest.mark.parametrize("mood", ["silent", "refuses", "garbage"])
def test_copy_is_delivered_while_the_authority_is_down_and_timed_when_it_is_back(
    clock: Authority, mark: Mark, mood: str
) -> None:
    marked = [mark(drawing(seed, 64)) for seed in (2, 4)]
    clock.mood = mood
    asked = len(clock.asked)
    delivered = [copy_of(each) for each in marked]
    assert len(clock.asked) == asked
    assert {signer().read(each, "image/jpeg").state for each in delivered} == {"trusted"}
    assert waiting_copies.stamp(at=NOW) == 0
    assert len(clock.asked) == asked + 1  # one question, not one for each copy
    assert Copy.objects.filter(is_timestamped=False, attempts=0).count() == 2
    clock.mood = "good"
    assert waiting_copies.stamp(at=NOW) == 0  # it is left alone for a while
    signer()._patience._rests_until = 0
    assert waiting_copies.stamp(at=NOW) == 2
    assert {timestamp_in(copy_of(each)) for each in marked} == {"trusted"}


def test_copy_that_cannot_be_signed_again_holds_up_no_other(clock: Authority, mark: Mark) -> None:
    for seed in (2, 4):
        copy_of(mark(drawing(seed, 64)))
    broken = Copy.objects.order_by("id")[0]
    Copy.objects.filter(id=broken.id).update(draft=b"broken", made_at=NOW - timedelta(hours=1))
    assert waiting_copies.stamp(at=NOW) == 0
    assert waiting_copies.stamp(at=NOW) == 1
    waiting = Copy.objects.get(is_timestamped=False)
    assert (waiting.id, waiting.attempts) == (broken.id, 2)


def test_copies_go_with_their_record_and_after_their_time(clock: Authority, mark: Mark) -> None:
    first, second = mark(drawing(2, 64)), mark(drawing(4, 64))
    for marked in (first, second):
        copy_of(marked)
    erasure.erase([first.id], at=NOW)
    assert Copy.objects.get().asset_id == second.id
    assert waiting_copies.stamp(at=NOW + waiting_copies.KEPT) == 1
    assert waiting_copies.stamp(at=NOW + waiting_copies.KEPT + timedelta(seconds=1)) == 0
    assert not Copy.objects.exists()
    assert Asset.objects.count() == 1


def test_copy_that_cannot_be_kept_is_delivered(
    clock: Authority, mark: Mark, caplog: pytest.LogCaptureFixture
) -> None:
    marked = mark(drawing(2, 64))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE provenance_copy ADD CONSTRAINT no_room CHECK (false)")
    assert signer().read(copy_of(marked), "image/jpeg").state == "trusted"
    assert "could not be kept" in caplog.text
    assert not Copy.objects.exists()


def test_copy_of_what_was_erased_meanwhile_is_not_kept(clock: Authority, mark: Mark) -> None:
    signed = SignedFile(b"a file", b"", draft=b"a draft")
    waiting_copies.keep(signed, "image/jpeg", asset_id=uuid4(), at=NOW)
    assert not Copy.objects.exists()
    waiting_copies.keep(signed, "image/jpeg", asset_id=mark(drawing(2, 64)).id, at=NOW)
    assert Copy.objects.exists()


def test_copy_of_a_revoked_signer_is_made_anew(clock: Authority, mark: Mark) -> None:
    marked = mark(drawing(2, 64))
    first = copy_of(marked)
    key_rotation.rotate_signer(at=NOW, is_compromised=True)
    second = copy_of(marked)
    assert second != first
    assert signer().read(second, "image/jpeg").state == "trusted"
    assert bytes(Copy.objects.get().data) == second


def test_time_of_a_copy_keeps_it_good_when_its_authority_is_distrusted_later(
    clock: Authority, mark: Mark
) -> None:
    """The log knows the original of a copy, not the copy: its own time is what it has."""
    timed, untimed = mark(photograph("coffee")), mark(photograph("astronaut"))
    copy_of(timed)
    assert waiting_copies.stamp(at=NOW) == 1
    seen, unseen = copy_of(timed), copy_of(untimed)
    signed_at = signer().read(seen, "image/jpeg").signed_at
    assert signed_at is not None
    since = datetime.fromisoformat(signed_at) + timedelta(seconds=2)
    authorities.rotate(at=since, distrusted_since=since)
    assert examination.check(seen, at=NOW).signer.verdict == "found_good"
    assert examination.check(unseen, at=NOW).signer.verdict == "found_bad"
    assert copy_of(timed) == seen
    assert copy_of(untimed) != unseen
    assert len(keyring().distrusted) == 1


def test_house_without_an_authority_keeps_no_copies(mark: Mark) -> None:
    copy_of(mark(drawing(2, 64)))
    tasks.date_log()
    assert not Copy.objects.exists()
