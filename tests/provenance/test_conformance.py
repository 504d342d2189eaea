"""Every way a picture leaves this house passes C2PA's own asset rubric, and says what it is.

The rubrics are C2PA's, evaluated by `json_formula`; the crJSON is from c2pa's own reader.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from PIL import Image

from provenance.assets import archive, erasure, marking, notice_signing, transcode
from provenance.keys.installed_keys import keyring
from provenance.log import transparency_log
from provenance.manifests.definition import Box, ManifestClaim, Parent
from provenance.manifests.signing_context import signer
from provenance.marks.visible_label import Position, VisibleLabel
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime
from tests.provenance import rubrics
from tests.provenance.conftest import NOW, SYSTEM
from tests.provenance.files import CLAIM, saved
from tests.provenance.pictures import drawing

pytestmark = [pytest.mark.django_db, rubrics.needed]
MIMES: tuple[Mime, ...] = ("image/png", "image/jpeg", "image/webp")
LABEL = VisibleLabel("Made with AI", Position.BOTTOM_RIGHT)
GENERATED = {"fullyGenAIMedia", "nonEditorial"}  # nonEditorial: the watermark
COMPOSED = {"perceptibleGenAI", "nonEditorial"}
Make = Callable[[Mime, Path], bytes]


def made(mime: Mime, _: Path, *, label: VisibleLabel | None = None, **said: Any) -> bytes:
    asset_id = uuid4()
    marked = marking.embed(drawing(2, 256), asset_id=asset_id, label=label)
    sealed = marking.seal(
        marked, asset_id=asset_id, created_at=NOW, system=SYSTEM, mime=mime, **said
    )
    marking.record(sealed, asset_id=asset_id, owner_pseudonym="p", at=NOW)
    transparency_log.sequence(at=NOW)
    return sealed.data


def made_from(parent: Callable[[Path], Parent], mime: Mime, folder: Path, **said: Any) -> bytes:
    return made(mime, folder, parent=parent(folder), **said)


def unsigned(_: Path) -> Parent:
    return Parent(saved(drawing(4, 256), "PNG"), "image/png")


def signed(folder: Path) -> Parent:
    return Parent(made("image/png", folder), "image/png")


def id_of(data: bytes) -> UUID:
    return UUID(signer().read(data, decoder.mime_of(data)).asset_id)


def erased(mime: Mime, folder: Path) -> bytes:
    parent = signed(folder)
    child = made(mime, folder, parent=parent)
    erasure.erase([id_of(parent.data)], at=NOW)
    return child


def copied(mime: Mime, folder: Path, **said: Any) -> bytes:
    source: Mime = "image/webp" if mime == "image/png" else "image/png"
    original = made(source, folder, **said)
    return transcode.in_format(original, mime, asset_id=id_of(original), at=NOW)


def with_text(mime: Mime, folder: Path) -> bytes:
    original = made(mime, folder)
    return transcode.with_more(original, lambda data: data, asset_id=id_of(original), at=NOW)


def archived(mime: Mime, folder: Path) -> bytes:
    source = folder / "old.png"
    source.write_bytes(saved(drawing(4, 256), "PNG"))
    found = archive.mark(source, out=folder, model="m", at=NOW, mime=mime)
    assert found.copy is not None
    return (folder / found.copy).read_bytes()


def notice(_: Mime, __: Path) -> bytes:
    return notice_signing.signed(saved(drawing(4, 256), "PNG"), at=NOW)


WAYS: dict[str, tuple[Make, set[str], set[str] | None]] = {
    "text to image": (made, GENERATED, None),
    "labelled": (partial(made, label=LABEL), GENERATED | {"perceptibleNonGenAI"}, None),
    "image to image, unsigned parent": (
        partial(made_from, unsigned),
        COMPOSED | {"mediaUnknownProvenance"},
        None,
    ),
    "image to image, signed parent": (partial(made_from, signed), COMPOSED, GENERATED),
    "inpainted": (
        partial(made_from, signed, repainted=Box(10, 10, 50, 50), label=LABEL),
        COMPOSED | {"perceptibleNonGenAI"},
        GENERATED,
    ),
    "converted copy": (copied, {"nonEditorial"}, GENERATED),
    "converted copy of a labelled one": (
        partial(copied, label=LABEL),
        {"nonEditorial"},
        GENERATED | {"perceptibleNonGenAI"},
    ),
    "archive": (archived, {"mediaUnknownProvenance", "nonEditorial"}, None),
    "parent erased": (erased, COMPOSED, GENERATED),
}
PNG_WAYS: dict[str, tuple[Make, set[str], set[str] | None]] = {
    "copy with text": (with_text, {"nonEditorial"}, GENERATED),
    "notice": (notice, set(), None),
}
CASES = [(way, mime) for way in WAYS for mime in MIMES] + [(way, "image/png") for way in PNG_WAYS]


def read(data: bytes) -> rubrics.CrJson:
    return rubrics.crjson(data, decoder.mime_of(data), anchors_pem=keyring().anchors_pem)


@pytest.mark.parametrize(("way", "mime"), CASES)
def test_way_keeps_every_rule_and_tells_what_it_is(way: str, mime: Mime, tmp_path: Path) -> None:
    make, signals, of_parent = (WAYS | PNG_WAYS)[way]
    data = make(mime, tmp_path)
    assert decoder.mime_of(data) == mime
    found = read(data)
    assert rubrics.count(rubrics.CONFORMANCE) == 31
    assert rubrics.broken_rules(found) == set()
    assert rubrics.broken_rules(found, rubrics.INTEGRITY) == set()
    assert rubrics.signals(found["manifests"][0]) == signals
    parents = [rubrics.signals(each) for each in found["manifests"][1:]]
    assert parents == ([] if of_parent is None else [of_parent])


@pytest.mark.parametrize(
    ("claim", "signals"),
    [
        (CLAIM, GENERATED),
        (replace(CLAIM, visible_label=("Made with AI", "top-left")), None),
        (replace(CLAIM, is_altered=True), COMPOSED),
        (replace(CLAIM, is_altered=True, repainted=Box(10, 10, 50, 50)), COMPOSED),
        (replace(CLAIM, is_altered=True, is_observed=False), {"nonEditorial"}),
        (replace(CLAIM, converted_at=NOW), {"nonEditorial"}),
    ],
)
def test_signer_keeps_every_rule_in_avif_too(
    claim: ManifestClaim, signals: set[str] | None, tmp_path: Path
) -> None:
    has_parent = claim.is_altered or claim.converted_at is not None
    parent = signed(tmp_path) if has_parent else None
    plain = saved(drawing(2, 256), "AVIF")
    found = read(signer().sign(plain, "image/avif", claim=claim, parent=parent).data)
    assert rubrics.broken_rules(found) == set()
    told = GENERATED | {"perceptibleNonGenAI"} if signals is None else signals
    assert rubrics.signals(found["manifests"][0]) == told


def actions_in(document: rubrics.CrJson) -> dict[str, Any]:
    found: dict[str, Any] = document["manifests"][0]["assertions"]["c2pa.actions.v2"]
    return found


def test_archive_tells_what_was_converted_when_it_was_taken_in(tmp_path: Path) -> None:
    def actions(data: bytes, mime: Mime | None) -> list[dict[str, Any]]:
        folder = tmp_path / uuid4().hex
        folder.mkdir()
        (folder / "old.png").write_bytes(data)
        found = archive.mark(folder / "old.png", out=folder, model="m", at=NOW, mime=mime)
        document = read((folder / str(found.copy)).read_bytes())
        assert rubrics.broken_rules(document) == set()
        assert actions_in(document)["allActionsIncluded"]
        return list(actions_in(document)["actions"])

    plain = ["c2pa.opened", "c2pa.edited.metadata", "c2pa.watermarked.bound"]
    found = actions(saved(drawing(5, 256), "JPEG"), "image/jpeg")
    assert [each["action"] for each in found] == plain
    turned = Image.Exif()
    turned[0x0112] = 6
    for data, mime, said in (
        (saved(drawing(6, 256), "AVIF"), None, "From image/avif to image/png."),
        (saved(drawing(7, 256), "PNG"), "image/webp", "From image/png to image/webp."),
        (saved(drawing(8, 256), "JPEG", exif=turned), None, "turned upright"),
        (saved(Image.fromarray(drawing(9, 256)).convert("LA"), "PNG"), None, "laid on white."),
    ):
        found = actions(data, cast(Mime | None, mime))
        assert [each["action"] for each in found] == [*plain[:2], "c2pa.converted", plain[2]]
        assert said in found[2]["description"]


def with_action(**action: Any) -> Callable[[rubrics.CrJson], None]:
    return lambda document: actions_in(document)["actions"].append(action)


def with_assertion(name: str, **data: Any) -> Callable[[rubrics.CrJson], None]:
    return lambda document: document["manifests"][0]["assertions"].__setitem__(name, data)


def with_failure(code: str) -> Callable[[rubrics.CrJson], None]:
    return lambda document: document["manifests"][0]["validationResults"]["failure"].append(
        {"code": code}
    )


def with_claim(name: str, value: Any) -> Callable[[rubrics.CrJson], None]:
    return lambda document: document["manifests"][0]["claim.v2"].__setitem__(name, value)


SPOILT: dict[str, Callable[[rubrics.CrJson], Any]] = {
    "mandatory_dst_for_perceptible_transformations": with_action(action="c2pa.edited"),
    "mandatory_spec_version": with_claim("claim_generator_info", {"specVersion": "2.3.0"}),
    "mandatory_all_actions_included": lambda each: actions_in(each).pop("allActionsIncluded"),
    "no_dst_for_opened_action": with_action(
        action="c2pa.opened", digitalSourceType="x", parameters={"ingredients": [{}]}
    ),
    "well_formed_success": with_failure("claim.malformed"),
    "valid_success": with_failure("assertion.dataHash.mismatch"),
    "inception_action_position": with_claim("created_assertions", []),
    "no_deprecated_assertions": with_assertion("stds.iptc"),
    "no_unsupported_assertions": with_assertion("c2pa.training-mining"),
    "no_deprecated_actions": with_action(action="c2pa.watermarked"),
    "no_unsupported_actions": with_action(action="c2pa.made", digitalSourceType="x"),
    "no_unrecognized_custom_assertions": with_assertion("ours"),
    "no_unrecognized_custom_actions": with_action(action="ours"),
    "no_unrecognized_custom_action_parameters": with_action(
        action="c2pa.published", parameters={"ours": 1}
    ),
    "discouraged_legacy_action_parameters": with_action(
        action="c2pa.published", parameters={"description": "x"}
    ),
    "active_manifest_urn": lambda each: each["manifests"][0].update(label="urn:uuid:1"),
    "ingredient_v3_no_active_manifest": with_assertion(
        "c2pa.ingredient.v3", relationship="parentOf", validationResults={}
    ),
    "ingredient_v3_mandatory_validation_results": with_assertion(
        "c2pa.ingredient.v3", relationship="parentOf", activeManifest={}
    ),
    "ingredient_relationship_values": with_assertion("c2pa.ingredient.v3", relationship="of"),
    "mandatory_dst_for_created_action": with_action(action="c2pa.created"),
    "no_deprecated_claim_fields": with_claim("specVersion", "2.4"),
    "ingredient_v3_choice": with_assertion(
        "c2pa.ingredient.v3",
        relationship="parentOf",
        activeManifest={},
        validationResults={},
        digitalSourceType="x",
    ),
    "no_url_in_hashes": with_assertion("c2pa.hash.data", url="x"),
    "opened_action_ingredient_reference": with_action(action="c2pa.opened"),
}


def test_each_rule_is_broken_by_what_breaks_it_and_by_nothing_else(tmp_path: Path) -> None:
    good = read(made("image/png", tmp_path))
    for rule, spoil in SPOILT.items():
        document = deepcopy(good)
        spoil(document)
        assert rubrics.broken_rules(document) == {rule}
    opened = {"actions": [{"action": "c2pa.opened", "parameters": {"ingredients": [{}]}}]}
    document = deepcopy(good)
    with_assertion("c2pa.actions.v2", **opened, allActionsIncluded=False)(document)
    assert rubrics.broken_rules(document) == {"all_actions_included_opened"}
    document["manifests"][0]["validationResults"] = None
    assert {"well_formed_data_present", "valid_data_present"} < rubrics.broken_rules(document)


def test_signer_vouches_for_all_that_it_says(tmp_path: Path) -> None:
    data = made_from(signed, "image/png", tmp_path, label=LABEL)
    (active, *_) = read(data)["manifests"]
    claim = active["claim.v2"]
    assert claim["claim_generator_info"]["specVersion"] == "2.4.0"
    assert claim.get("gathered_assertions", []) == []
    created = {each["url"].rpartition("/")[2] for each in claim["created_assertions"]}
    assert created == set(active["assertions"])
    assert {"c2pa.thumbnail.claim", "c2pa.soft-binding", "c2pa.ingredient.v3"} < created
    assert active["assertions"]["app.proofsheet.asset"]["provider"] == "Proofsheet demo operator"
    assert active["assertions"]["c2pa.ai-disclosure"]["modelIdentifier"] == "pkg:generic/starter"
    lettered = list(actions_in({"manifests": [active]})["actions"])[2]
    assert lettered["action"] == "c2pa.addedText"
    assert LABEL.text in lettered["description"]
