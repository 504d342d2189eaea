"""Credentials of others: a broken history, what could not be checked, what says who made it."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import c2pa
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from provenance.keys import key_folder
from provenance.manifests import containers, manifest_reading, store_limits
from provenance.manifests.content_credentials import Reader, Trust
from provenance.pictures.decoder import Mime
from provenance.verify import examination, judgements
from provenance.verify.verdicts import VerifyReport
from tests.provenance import foreign
from tests.provenance.conftest import NOW, Marked, seal
from tests.provenance.files import chunk, saved
from tests.provenance.pictures import drawing, photograph

PNG: Mime = "image/png"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> key_folder.Keyring:
    return key_folder.load_or_make(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def reader(stranger: key_folder.Keyring) -> Reader:
    """One for whom the strangers are the authority."""
    return Reader(Trust(stranger.anchors_pem))


def plain(seed: int = 2) -> bytes:
    return saved(drawing(seed, 64), "PNG")


def put(store: bytes, data: bytes) -> bytes:
    return data[:33] + chunk(b"caBX", store) + data[33:]


def tampered(data: bytes) -> bytes:
    return data[:-4] + bytes([data[-4] ^ 1]) + data[-3:]


def check(data: bytes) -> VerifyReport:
    return examination.check(data, at=NOW)


# ---------------------------------------------------------------- the history


def item(**said: Any) -> dict[str, Any]:
    """An ingredient as c2pa reports it."""
    return {"title": "in.jpg", "label": "c2pa.ingredient", "active_manifest": "p"} | said


def report(
    ingredient: dict[str, Any], deltas: Sequence[str] = (), active: Sequence[str] = ()
) -> dict[str, Any]:
    """What c2pa says of a manifest `m` with one ingredient, whose manifest is `p`."""
    place = "self#jumbf=/c2pa/m/c2pa.assertions/c2pa.ingredient"
    failures = {"failure": [{"code": code} for code in deltas]}
    return {
        "active_manifest": "m",
        "manifests": {"m": {"ingredients": [ingredient]}, "p": {}},
        "validation_results": {
            "activeManifest": {
                "success": [{"code": "claimSignature.validated"}],
                "failure": [{"code": code} for code in active],
            },
            "ingredientDeltas": [
                {"ingredientAssertionURI": place, "validationDeltas": failures},
            ],
        },
    }


BROKEN = "claimSignature.mismatch"
RECORDED = {"activeManifest": {"failure": [{"code": BROKEN}]}}
BEFORE = {"ingredientDeltas": [{"validationDeltas": {"failure": [{"code": BROKEN}]}}]}


@pytest.mark.parametrize(
    ("store", "state"),
    [
        (report(item(validation_results=RECORDED)), "Valid"),
        (report(item(validation_results=BEFORE)), "Valid"),
        (report(item(validation_status=[{"code": BROKEN}])), "Valid"),
        (report(item(), deltas=[BROKEN]), "Invalid"),
    ],
    ids=["recorded", "recorded of what was before", "recorded in the older list", "found today"],
)
def test_ingredient_that_failed_is_told_wherever_c2pa_says_so(
    store: dict[str, Any], state: str
) -> None:
    reading = manifest_reading.read(store, state)
    assert reading.ingredients[0].finding == "damaged"
    told = judgements.of_manifest(reading)
    assert told.verdict == "found_bad"
    assert "“in.jpg”" in told.sentence


def test_failure_deep_in_the_history_is_found_once_however_often_it_is_named() -> None:
    """Each manifest names the next one many times: a walk of every way would take for ever."""
    last = 60
    manifests: dict[str, Any] = {
        str(number): {"ingredients": [item(active_manifest=str(number + 1))] * 50}
        for number in range(last)
    }
    bad = item(title="the end", validation_status=[{"code": BROKEN}])
    manifests[str(last)] = {"ingredients": [bad]}
    store = {"active_manifest": "0", "manifests": manifests, "validation_results": {}}
    reading = manifest_reading.read(store, "Valid")
    assert len(reading.ingredients) <= 256
    assert reading.broken is not None
    assert reading.broken.title == "the end"


@pytest.mark.parametrize(
    "code",
    [
        "claimSignature.mismatch",
        "assertion.hashedURI.mismatch",
        "signingCredential.expired",
        "signingCredential.invalid",
        "algorithm.unsupported",
        "cawg.ica.did_unavailable",
        "something.new",
    ],
)
@pytest.mark.parametrize("place", ["active", "deltas", "validation_status"])
def test_what_is_invalid_is_never_good(code: str, place: str) -> None:
    store = report(item())
    if place == "validation_status":
        store["validation_status"] = [{"code": code}]
    else:
        store = report(item(), **{place: [code]})
    assert judgements.of_manifest(manifest_reading.read(store, "Invalid")).verdict != "found_good"


@pytest.mark.parametrize(
    "code",
    [
        "cawg.ica.did_unavailable",
        "cawg.identity.sig_type.unknown",
        "timeStamp.untrusted",
        "manifest.inaccessible",
        "signingCredential.ocsp.inaccessible",
    ],
)
def test_what_could_not_be_checked_is_not_bad(code: str) -> None:
    for store in (
        report(item(validation_status=[{"code": code}])),
        report(item(), deltas=[code]),
        report(item(), active=[code]),
    ):
        reading = manifest_reading.read(store, "Valid")
        assert judgements.of_manifest(reading).verdict == "found_good"
        assert {each.finding for each in reading.ingredients} <= {"holds", "not_checked"}
    assert reading.unchecked == (code,)


def test_ingredient_by_an_expired_certificate_is_not_called_damaged() -> None:
    store = report(item(), deltas=["signingCredential.expired"])
    reading = manifest_reading.read(store, "Invalid")
    assert reading.ingredients[0].finding == "bad_signer"
    assert judgements.of_manifest(reading).verdict == "could_not_check"


@pytest.mark.parametrize("state", ["Invalid", "Valid", "Trusted"])
def test_state_survives_what_is_found_out_about_the_signer(state: str) -> None:
    """A changed file stays one when its authority is vouched for again, or is not any more."""
    store = report(item(), active=["assertion.dataHash.mismatch"] if state == "Invalid" else [])
    reading = manifest_reading.read(store, state)
    distrusted = manifest_reading.as_distrusted(reading, NOW.isoformat())
    seen = manifest_reading.as_seen(distrusted, datetime(2026, 1, 1, tzinfo=UTC))
    unknown, listed = manifest_reading.as_unknown(reading), manifest_reading.as_listed(reading)
    assert (distrusted.state, seen.state) == ("invalid", state.lower())
    for each in (unknown, listed):
        assert each.state == ("valid" if state == "Trusted" else state.lower())
    if state == "Invalid":
        told = [judgements.of_manifest(each).verdict for each in (seen, unknown, listed)]
        assert told == ["found_bad"] * 3


def test_parent_that_was_changed_is_told_by_the_child(
    reader: Reader, stranger: key_folder.Keyring
) -> None:
    parent = tampered(foreign.signed(plain(), PNG, by=stranger))
    for assertions in ([foreign.opened()], [foreign.opened(), foreign.identity("did:web:x")]):
        child = foreign.signed(
            plain(4), PNG, by=stranger, assertions=assertions, parents=[(parent, PNG)]
        )
        told = judgements.of_manifest(reader.read(child, PNG))
        assert told.verdict == "found_bad"
        assert "“parent 0”" in told.sentence


# ---------------------------------------------------------------- what is not checked, or not read


def test_identity_is_not_checked_and_nobody_is_accused(
    reader: Reader, stranger: key_folder.Keyring
) -> None:
    assertions = [foreign.created(), foreign.identity("did:web:example.org")]
    reading = reader.read(foreign.signed(plain(), PNG, by=stranger, assertions=assertions), PNG)
    told = judgements.of_manifest(reading)
    assert (reading.state, told.verdict) == ("trusted", "found_good")
    assert told.unchecked == ("cawg.identity",)
    assert "not checked here" in told.proves


def unreadable_files(by: key_folder.Keyring) -> dict[str, tuple[bytes, Mime]]:
    """Files that hold or name credentials which nobody can look at here."""
    whole = containers.manifest_store(foreign.signed(plain(), PNG, by=by), PNG)
    jpeg = saved(drawing(2, 64), "JPEG")
    piece = b"JP\0\1\0\0\0\1" + whole[:8] + whole[8:]
    segment = b"\xff\xeb" + (len(piece) + 2).to_bytes(2) + piece
    many = b"".join(b"\0\0\0\x08cbor" for _ in range(store_limits.MAX_BOXES + 1))
    deep = b""
    for _ in range(store_limits.MAX_DEPTH + 2):
        deep = (len(deep) + 8).to_bytes(4) + b"jumb" + deep
    return {
        "elsewhere": (foreign.pointing(plain(), 9), PNG),
        "garbage": (put(b"not a box", plain()), PNG),
        "empty": (put(b"", plain()), PNG),
        "cut": (put(whole[:-9], plain()), PNG),
        "two stores": (put(whole, put(whole, plain())), PNG),
        "much to parse": (put(b"\x00\x1e\x84\x88cbor" + bytes(2_000_000), plain()), PNG),
        "many boxes": (put((len(many) + 8).to_bytes(4) + b"jumb" + many, plain()), PNG),
        "deep boxes": (put(deep, plain()), PNG),
        "compressed": (put(b"\0\0\0\x18jumb\0\0\0\x10brob12345678", plain()), PNG),
        "after the picture": (jpeg[:-2] + segment + jpeg[-2:], "image/jpeg"),
    }


KINDS = (
    "elsewhere",
    "garbage",
    "empty",
    "cut",
    "two stores",
    "much to parse",
    "many boxes",
    "deep boxes",
    "compressed",
    "after the picture",
)


@pytest.mark.parametrize("name", KINDS)
def test_nobody_says_that_nobody_signed_what_cannot_be_read(
    db: None, stranger: key_folder.Keyring, name: str
) -> None:
    data, _ = unreadable_files(stranger)[name]
    report = check(data)
    assert report.manifest.verdict == report.signer.verdict == "could_not_check"
    assert report.manifest.state == "unreadable"
    assert "Nobody signed" not in report.signer.sentence


def test_store_is_read_up_to_the_size_of_its_file(
    db: None, reader: Reader, stranger: key_folder.Keyring
) -> None:
    """Large stores are so by the pictures in them, which are only hashed."""
    parents = [(saved(photograph("coffee", 512), "PNG", compress_level=0), PNG)] * 3
    data = foreign.signed(
        plain(), PNG, by=stranger, assertions=[foreign.opened()], parents=parents, thumbnails=True
    )
    assert len(containers.manifest_store(data, PNG)) > 1_000_000
    assert reader.read(data, PNG).state == "trusted"
    assert check(data).manifest.verdict == "found_good"


# ---------------------------------------------------------------- what says that it was generated

WHOLE = "“Dream 3” generated it"
PART = "parts of it were generated by “Dream 3”"


@pytest.mark.parametrize(
    ("source_type", "says"),
    [
        ("trainedAlgorithmicMedia", WHOLE),
        ("algorithmicMedia", WHOLE),
        ("compositeWithTrainedAlgorithmicMedia", PART),
        ("compositeSynthetic", PART),
        ("digitalCapture", ""),
        ("algorithmicallyEnhanced", ""),
    ],
)
@pytest.mark.parametrize("agent", ["Dream 3", {"name": "Dream 3"}, ""])
def test_sound_credentials_of_others_say_what_generated_it(
    client: Client, db: None, stranger: key_folder.Keyring, source_type: str, says: str, agent: Any
) -> None:
    data = foreign.signed(
        plain(),
        PNG,
        by=stranger,
        assertions=[foreign.created(source_type, agent=agent)],
        generator="Dream 3",
    )
    told = client.post("/api/v1/verify/", {"file": io.BytesIO(data)}).json()
    assert not told["is_ours"]
    if not says:
        assert told["stated"] is None
        return
    sentence = f"Its Content Credentials say that {says}; the signer is not known here."
    assert (told["headline"], told["stated"]["sentence"]) == (sentence, sentence)
    assert told["stated"]["is_signer_known"] is False
    page = client.post("/verify/", {"file": io.BytesIO(data)}).content.decode()
    assert "Its Content Credentials say that" in page
    assert "Dream 3" in page
    assert "Inconclusive" not in page


def test_name_that_a_stranger_chose_stays_inside_its_quotes(
    db: None, stranger: key_folder.Keyring
) -> None:
    name = "X” generated it. This picture comes from this system. \u202e" + "y" * 100
    generated = [foreign.created("trainedAlgorithmicMedia", agent=name)]
    report = check(foreign.signed(plain(), PNG, by=stranger, assertions=generated))
    assert report.headline.count("”") == 1
    assert report.headline.endswith("yyy…” generated it; the signer is not known here.")
    assert "\u202e" not in report.headline


def test_picture_made_from_a_generated_one_says_so(db: None, stranger: key_folder.Keyring) -> None:
    generated = [foreign.created("trainedAlgorithmicMedia", agent="Dream 3")]
    parent = foreign.signed(plain(), PNG, by=stranger, assertions=generated, generator="A signer")
    crop = {"action": "c2pa.cropped"}
    for source, word in ((parent, "made from a picture that “Dream 3” generated"), (plain(), "")):
        data = foreign.signed(
            plain(4),
            PNG,
            by=stranger,
            assertions=[foreign.opened(crop)],
            parents=[(source, PNG)],
            generator="Photo editor",
        )
        stated = check(data).stated
        assert (word in stated.sentence) if stated else (word == "")


def test_metadata_that_the_credentials_sign_counts(
    reader: Reader, stranger: key_folder.Keyring
) -> None:
    said = foreign.SOURCE_TYPES + "trainedAlgorithmicMedia"
    metadata = {
        "@context": {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
        "Iptc4xmpExt:DigitalSourceType": said,
    }
    assertions = [foreign.created(), {"label": "stds.iptc", "data": metadata}]
    reading = reader.read(foreign.signed(plain(), PNG, by=stranger, assertions=assertions), PNG)
    assert reading.generation is not None
    assert reading.generation.generator == "Elsewhere"


def test_broken_credentials_say_nothing_about_who_made_it(
    db: None, stranger: key_folder.Keyring
) -> None:
    generated = [foreign.created("trainedAlgorithmicMedia")]
    report = check(tampered(foreign.signed(plain(), PNG, by=stranger, assertions=generated)))
    assert report.stated is None
    assert "does not hold" in report.headline


# ---------------------------------------------------------------- signers on the operator's list


@pytest.fixture
def listed(settings: Settings, tmp_path: Path, stranger: key_folder.Keyring) -> Path:
    path = tmp_path / "list.pem"
    path.write_text(stranger.anchors_pem)
    settings.PROOFSHEET_TRUST_LIST = [str(path)]
    return path


def test_signer_on_the_list_is_known_but_not_ours(
    db: None, listed: Path, stranger: key_folder.Keyring
) -> None:
    generated = [foreign.created("trainedAlgorithmicMedia", agent="Dream 3")]
    data = foreign.signed(plain(), PNG, by=stranger, assertions=generated)
    report = check(data)
    assert (report.manifest.state, report.signer.verdict) == ("valid", "found_good")
    assert (report.signer.vouched_by, report.is_ours) == ("trust_list", False)
    assert report.stated is not None
    assert report.stated.is_signer_known
    assert "signed by “Proofsheet local installation”" in report.headline
    assert check(tampered(data)).manifest.verdict == "found_bad"


def test_listed_signer_who_signs_our_picture_does_not_make_it_theirs_or_ours(
    listed: Path, astronaut: Marked, stranger: key_folder.Keyring
) -> None:
    """The watermark still says whose it is; their signature alone says nothing about us."""
    unmarked = saved(photograph("astronaut"), "PNG")
    assert not check(foreign.signed(unmarked, PNG, by=stranger)).is_ours
    assert check(foreign.signed(saved(astronaut.pixels, "PNG"), PNG, by=stranger)).is_ours


def test_own_signature_is_ours_with_a_list_too(db: None, listed: Path) -> None:
    report = check(seal(photograph("astronaut")).sealed.data)
    assert (report.signer.vouched_by, report.is_ours) == ("this_system", True)


def test_list_that_cannot_be_read_is_named(db: None, listed: Path) -> None:
    listed.unlink()
    with pytest.raises(key_folder.KeysUnusable, match="trust list"):
        check(plain())


# ---------------------------------------------------------------- C2PA's own test files

PUBLIC = Path(__file__).parents[3] / "shared" / "vectors" / "c2pa-public-testfiles"
SUFFIXES: dict[str, Mime] = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": PNG,
    ".webp": "image/webp",
}


def failures_of(told: dict[str, Any]) -> set[str]:
    """Every failure that c2pa tells anywhere in its report, found without our reading of it."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for name in ("failure", "validation_status"):
                found.update(each["code"] for each in value.get(name) or [])
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(told)
    return found - {"signingCredential.untrusted"}


def test_public_files_get_verdicts_that_agree_with_c2pa(db: None) -> None:
    """Run with `-s` for a table of every file, c2pa's state and failures, and our verdicts."""
    if not PUBLIC.is_dir():
        pytest.skip("C2PA's public test files do not lie at ../shared/vectors")
    files = [path for path in sorted(PUBLIC.rglob("image/*/*")) if path.suffix in SUFFIXES]
    assert len(files) > 20
    context = c2pa.Context(c2pa.Settings.from_dict({"core": {"decode_identity_assertions": False}}))
    for path in files:
        mime = SUFFIXES[path.suffix]
        data = path.read_bytes()
        theirs = c2pa.Reader.try_create(mime, io.BytesIO(data), context=context)
        report = check(data)
        state = str(theirs.get_validation_state()) if theirs else "none"
        bad = failures_of(json.loads(theirs.json())) if theirs else set()
        verdicts = (report.manifest.verdict, report.signer.verdict)
        print(f"{path.name:45} {state:8} {', '.join(sorted(bad)) or '-':75} {verdicts[0]}")
        if state == "none":
            assert verdicts == ("absent", "absent"), path.name
        elif state == "Invalid":
            assert report.manifest.verdict != "found_good", path.name
            assert "found_bad" in verdicts, path.name
        elif bad:
            assert report.manifest.verdict == "found_bad", path.name
        else:
            assert verdicts == ("found_good", "could_not_check"), path.name
