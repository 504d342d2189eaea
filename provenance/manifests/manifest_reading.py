"""What a manifest store says, taken from c2pa's JSON report (C2PA 2.x, section 15). Pure.

`issues` are the specification's failure codes, and some of our own: `manifest.remote`,
`manifest.several`, `manifest.too_large`, `manifest.unreadable` and `manifest.unsearchable`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from provenance.manifests import ingredients, origins, status_codes
from provenance.manifests.ingredients import Ingredient as Ingredient
from provenance.manifests.origins import StatedOrigin

ASSET_LABEL = "app.proofsheet.asset"
IDENTITY = "cawg.identity"
_BAD_SIGNATURE = ("claimSignature.", "signingCredential.", "algorithm.")
_EXPIRED = ("signingCredential.expired", "claimSignature.outsideValidity")
_REVOKED = "signingCredential.ocsp.revoked"
_CHANGE_NOTHING = {"c2pa.opened", "c2pa.converted", "c2pa.edited.metadata"}
_TIMESTAMPS = {"timeStamp.trusted": "trusted", "timeStamp.validated": "unknown"}

State = Literal["absent", "unreadable", "invalid", "valid", "trusted"]
Signature = Literal[
    "none",
    "unread",
    "trusted",
    "listed",
    "unknown",
    "expired",
    "revoked",
    "distrusted",
    "invalid",
]


@dataclass(frozen=True, slots=True)
class ManifestReading:
    """What a file's manifest says of itself.

    `state` is absent (none in the file), unreadable, invalid (something of it does not hold), valid
    (it holds, by a signer that is not of this system) or trusted. `signature` speaks of the
    signature and its certificate alone: "listed" is one that the operator's trust list vouches for,
    "unread" one of which nothing is known; `serial_number` is the certificate's, in decimal.
    `timestamp` is none, unknown (by an authority that nobody vouches for) or trusted, and
    `signed_at` what it says. `revoked_since` is set where the certificate was revoked, or its
    authority's: then the signature is "distrusted".

    `issues` are what failed of this manifest, `unchecked` what could not be checked or is not
    checked here, and `broken` is the first picture of its history whose own credentials failed.
    `state_by_itself` is the state before anything was known against its signer.
    """

    state: State
    issues: tuple[str, ...] = ()
    signature: Signature = "none"
    signer: str | None = None
    serial_number: str | None = None
    timestamp: str = "none"
    signed_at: str | None = None
    revoked_since: str | None = None
    provider: str | None = None
    visible_label: str | None = None
    claim_generator: str | None = None
    claim_generator_version: str | None = None
    asset_id: str | None = None
    created_at: str | None = None
    generation: StatedOrigin | None = None
    is_altered: bool = False
    ingredients: tuple[Ingredient, ...] = ()
    unchecked: tuple[str, ...] = ()
    broken: Ingredient | None = None
    state_by_itself: State = "invalid"

    @property
    def is_sound(self) -> bool:
        return self.state in ("valid", "trusted")

    @property
    def is_generated(self) -> bool:
        return self.generation is not None and self.generation.extent != "source"


def unreadable(code: str) -> ManifestReading:
    """Of a file whose manifest could not be looked at, so that nothing is known of its signer."""
    return ManifestReading("unreadable", (f"manifest.{code}",), "unread")


def refused(message: str, *, has_store: bool) -> ManifestReading:
    """A file whose manifest c2pa would not open; a pointer to a remote one is left alone and said
    so.
    """
    if "must fetch" in message or message.startswith("Remote"):
        return unreadable("remote")
    return unreadable("unreadable" if has_store else "unsearchable")


def as_unknown(reading: ManifestReading) -> ManifestReading:
    """The reading of a file by a signer whom nobody vouches for after all."""
    issues = (*reading.issues, status_codes.UNTRUSTED)
    return replace(reading, state=_without_trust(reading), signature="unknown", issues=issues)


def as_listed(reading: ManifestReading) -> ManifestReading:
    """The reading of a file by a signer for whom only the operator's trust list vouches."""
    return replace(reading, state=_without_trust(reading), signature="listed")


def _without_trust(reading: ManifestReading) -> State:
    return "valid" if reading.state == "trusted" else reading.state


def as_revoked(reading: ManifestReading, since: str) -> ManifestReading:
    """The reading of a file by a certificate that was revoked."""
    issues = (*reading.issues, _REVOKED)
    return replace(
        reading, state="invalid", signature="revoked", issues=issues, revoked_since=since
    )


def as_distrusted(reading: ManifestReading, since: str) -> ManifestReading:
    """The reading of a file by an authority that is not relied on since a time."""
    return replace(as_revoked(reading, since), signature="distrusted")


def as_seen(reading: ManifestReading, at: datetime) -> ManifestReading:
    """The reading of a file that somebody else than its signer knows to have been there then.

    That helps where its authority is distrusted only since later.
    """
    if reading.signature != "distrusted" or not is_before(at, reading.revoked_since):
        return reading
    issues = tuple(issue for issue in reading.issues if issue != _REVOKED)
    return replace(
        reading,
        state=reading.state_by_itself,
        signature="trusted",
        issues=issues,
        revoked_since=None,
    )


def is_before(at: datetime, since: str | None) -> bool:
    """Whether a time lies before one that is told as text."""
    return since is not None and at < datetime.fromisoformat(since)


def read(store: dict[str, Any], state: str) -> ManifestReading:
    """The reading of a report and its validation state. Raises `KeyError`, `TypeError` or
    `AttributeError` where the report has another shape than c2pa gives it.
    """
    manifest = store["manifests"][store["active_manifest"]]
    failures, successes = _failures(store), _codes(store, "success")
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    signature = manifest.get("signature_info") or {}
    asset = _asset(manifest)
    history = ingredients.shown(store)
    return ManifestReading(
        state=_state(state),
        issues=tuple(code for code in failures if not status_codes.is_not_checked(code)),
        signature=_signature(successes, failures),
        signer=ingredients.signer_of(manifest),
        serial_number=ingredients.text(signature.get("cert_serial_number")),
        timestamp=next((said for code, said in _TIMESTAMPS.items() if code in successes), "none"),
        signed_at=ingredients.text(signature.get("time")),
        provider=ingredients.text(asset.get("provider")),
        visible_label=ingredients.text((asset.get("visible_label") or {}).get("text")),
        claim_generator=ingredients.text(generator.get("name")),
        claim_generator_version=ingredients.text(generator.get("version")),
        asset_id=ingredients.text(asset.get("id")),
        created_at=ingredients.text(asset.get("created_at")),
        generation=origins.generation_of(manifest) or _source(store, history),
        is_altered=_is_altering([str(each.get("action")) for each in origins.actions_of(manifest)]),
        ingredients=history,
        unchecked=_unchecked(store, failures),
        broken=ingredients.first_bad(store),
        state_by_itself=_state(state),
    )


def _asset(manifest: dict[str, Any]) -> dict[str, Any]:
    for item in manifest.get("assertions", []):
        if item["label"] == ASSET_LABEL:
            return dict(item.get("data") or {})
    return {}


def _source(store: dict[str, Any], history: tuple[Ingredient, ...]) -> StatedOrigin | None:
    """That a picture was made from one that was generated, as far as the way back to it holds, and
    by the program which that one's own credentials name.
    """
    manifest = store["manifests"][store["active_manifest"]]
    for depth, item in enumerate(history, 1):
        if item.relationship != "parentOf" or item.depth != depth:
            return None
        if item.finding not in ("holds", "unknown_signer"):
            return None
        manifest = store["manifests"].get(manifest["ingredients"][0].get("active_manifest"), {})
        if (said := origins.generation_of(manifest)) is not None:
            return StatedOrigin(said.generator, "source")
    return None


def _unchecked(store: dict[str, Any], failures: list[str]) -> tuple[str, ...]:
    """Codes of what could not be checked, and identities, which nobody is asked about."""
    codes = [code for code in failures if status_codes.is_not_checked(code)]
    labels = (
        str(item.get("label"))
        for manifest in store["manifests"].values()
        for item in manifest.get("assertions", [])
    )
    named = [IDENTITY] if any(label.startswith(IDENTITY) for label in labels) else []
    return tuple(dict.fromkeys(codes + named))


def _is_altering(actions: list[str]) -> bool:
    """Whether something was done to a picture that was there: a mere conversion is not."""
    is_made_from_one = "c2pa.opened" in actions and not _CHANGE_NOTHING.issuperset(actions)
    return is_made_from_one or "c2pa.edited" in actions


def _state(state: str) -> State:
    match state.lower():
        case "trusted":
            return "trusted"
        case "valid":
            return "valid"
        case _:
            return "invalid"


def _signature(successes: list[str], failures: list[str]) -> Signature:
    """A failure of signature or certificate other than that nobody vouches for it is a bad one."""
    about_it = (code for code in failures if code.startswith(_BAD_SIGNATURE))
    bad = {
        code
        for code in about_it
        if code != status_codes.UNTRUSTED and not status_codes.is_not_checked(code)
    }
    if bad and bad <= set(_EXPIRED):
        return "expired"
    if bad:
        return "invalid"
    if "claimSignature.validated" not in successes:
        return "invalid"
    return "trusted" if "signingCredential.trusted" in successes else "unknown"


def _failures(store: dict[str, Any]) -> list[str]:
    """What failed of the active manifest: what c2pa lists for it, and, in its older list, whatever
    is told in no other place.
    """
    results = store.get("validation_results") or {}
    deltas = [each.get("validationDeltas") for each in results.get("ingredientDeltas") or []]
    active = status_codes.failures(results.get("activeManifest"))
    elsewhere = {code for each in deltas for code in status_codes.failures(each)}
    older = status_codes.codes_of(store.get("validation_status") or [])
    return [*active, *(code for code in older if code not in elsewhere and code not in active)]


def _codes(store: dict[str, Any], kind: str) -> list[str]:
    results = (store.get("validation_results") or {}).get("activeManifest") or {}
    return status_codes.codes_of(results.get(kind) or [])
