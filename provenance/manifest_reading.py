"""What a manifest store says, taken from c2pa's JSON report (C2PA 2.x, section 15). Pure.

`issues` are the specification's failure codes, and three of our own: `manifest.remote`,
`manifest.too_large` and `manifest.unreadable`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

ASSET_LABEL = "app.proofsheet.asset"
MAX_INGREDIENTS = 64
_UNTRUSTED = "signingCredential.untrusted"
_BAD_SIGNATURE = ("claimSignature.", "signingCredential.", "algorithm.")
_EXPIRED = ("signingCredential.expired", "claimSignature.outsideValidity")
_REVOKED = "signingCredential.ocsp.revoked"
_TIMESTAMPS = {"timeStamp.trusted": "trusted", "timeStamp.validated": "unknown"}

State = Literal["absent", "unreadable", "invalid", "valid", "trusted"]
Signature = Literal["none", "trusted", "unknown", "expired", "revoked", "distrusted", "invalid"]


Finding = Literal["holds", "unknown_signer", "no_credentials", "changed", "damaged"]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture that went into the one at hand; `depth` 1 is its direct parent.

    `finding` says what its own credentials were worth when it went in: they hold, hold but by a
    signer whom nobody vouches for, are none, do not match it, or are damaged.
    """

    title: str
    relationship: str
    depth: int
    issues: tuple[str, ...]
    finding: Finding = "no_credentials"
    signer: str | None = None
    claim_generator: str | None = None
    is_generated: bool = False


@dataclass(frozen=True, slots=True)
class ManifestReading:
    """What a file's manifest says of itself.

    `state` is absent (none in the file), unreadable, invalid (it does not match the file), valid
    (it matches, by a signer that we do not know) or trusted. `signature` speaks of the signature
    and its certificate alone; `serial_number` is the certificate's, in decimal. `timestamp` is
    none, unknown (by an authority that nobody vouches for) or trusted, and `signed_at` what it
    says. `revoked_since` is set where the certificate was revoked, or its authority's: then the
    signature is "distrusted".
    """

    state: State
    issues: tuple[str, ...] = ()
    signature: Signature = "none"
    signer: str | None = None
    serial_number: str | None = None
    timestamp: str = "none"
    signed_at: str | None = None
    revoked_since: str | None = None
    visible_label: str | None = None
    claim_generator: str | None = None
    claim_generator_version: str | None = None
    asset_id: str | None = None
    created_at: str | None = None
    is_generated: bool = False
    is_altered: bool = False
    ingredients: tuple[Ingredient, ...] = ()

    @property
    def is_sound(self) -> bool:
        return self.state in ("valid", "trusted")


def refused(message: str) -> ManifestReading:
    """A file whose manifest c2pa would not open; a pointer to a remote one is left alone and said
    so.
    """
    if "must fetch" in message or message.startswith("Remote"):
        return ManifestReading("unreadable", ("manifest.remote",))
    return ManifestReading("unreadable", ("manifest.unreadable",))


def as_unknown(reading: ManifestReading) -> ManifestReading:
    """The reading of a sound file by a signer whom nobody vouches for after all."""
    return replace(
        reading, state="valid", signature="unknown", issues=(*reading.issues, _UNTRUSTED)
    )


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
    return replace(reading, state="trusted", signature="trusted", issues=issues, revoked_since=None)


def is_before(at: datetime, since: str | None) -> bool:
    """Whether a time lies before one that is told as text."""
    return since is not None and at < datetime.fromisoformat(since)


def read(store: dict[str, Any], state: str) -> ManifestReading:
    """The reading of a report and its validation state. Raises `KeyError` or `TypeError` where the
    report has another shape than c2pa gives it.
    """
    manifest = store["manifests"][store["active_manifest"]]
    failures, successes = _codes(store, "failure"), _codes(store, "success")
    assertions = _assertions(manifest)
    actions = _actions(assertions)
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    signature = manifest.get("signature_info") or {}
    asset = assertions.get(ASSET_LABEL) or {}
    return ManifestReading(
        state=_state(state),
        issues=tuple(dict.fromkeys(failures)),
        signature=_signature(successes, failures),
        signer=_text(signature.get("issuer")) or _text(signature.get("common_name")),
        serial_number=_text(signature.get("cert_serial_number")),
        timestamp=next((said for code, said in _TIMESTAMPS.items() if code in successes), "none"),
        signed_at=_text(signature.get("time")),
        visible_label=_text((asset.get("visible_label") or {}).get("text")),
        claim_generator=_text(generator.get("name")),
        claim_generator_version=_text(generator.get("version")),
        asset_id=_text(asset.get("id")),
        created_at=_text(asset.get("created_at")),
        is_generated=any(_is_generating(action) for action in actions),
        is_altered=_is_altering([str(action.get("action")) for action in actions]),
        ingredients=tuple(_ingredients(store, manifest)),
    )


def _assertions(manifest: dict[str, Any]) -> dict[str, Any]:
    return {item["label"]: item.get("data") or {} for item in manifest.get("assertions", [])}


def _actions(assertions: dict[str, Any]) -> list[dict[str, Any]]:
    found = assertions.get("c2pa.actions.v2") or assertions.get("c2pa.actions") or {}
    return list(found.get("actions", []))


def _is_altering(actions: list[str]) -> bool:
    """Whether something was done to a picture that was there: a mere conversion is not."""
    return "c2pa.edited" in actions or (
        "c2pa.opened" in actions and "c2pa.converted" not in actions
    )


def _is_generating(action: dict[str, Any]) -> bool:
    """Whether an action's digital source type is one of the two kinds of algorithmic media."""
    kind = str(action.get("digitalSourceType", "")).rpartition("/digitalsourcetype/")[2]
    return kind in ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")


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
    bad = {code for code in failures if code.startswith(_BAD_SIGNATURE) and code != _UNTRUSTED}
    if bad and bad <= set(_EXPIRED):
        return "expired"
    if bad:
        return "invalid"
    if "claimSignature.validated" not in successes:
        return "invalid"
    return "trusted" if "signingCredential.trusted" in successes else "unknown"


def _codes(store: dict[str, Any], kind: str) -> list[str]:
    results = (store.get("validation_results") or {}).get("activeManifest") or {}
    return [str(item.get("code")) for item in results.get(kind, [])]


def _ingredients(
    store: dict[str, Any], manifest: dict[str, Any], depth: int = 1
) -> Iterator[Ingredient]:
    """Depth first; c2pa reports each ingredient's own validation beside it, not above it."""
    for item in manifest.get("ingredients", [])[:MAX_INGREDIENTS]:
        results = (item.get("validation_results") or {}).get("activeManifest") or {}
        codes = [str(failure.get("code")) for failure in results.get("failure", [])]
        parent = store["manifests"].get(item.get("active_manifest"))
        own = parent or {}
        signature = own.get("signature_info") or {}
        generator = (own.get("claim_generator_info") or [{}])[0]
        yield Ingredient(
            title=_text(item.get("title")) or "an unnamed picture",
            relationship=_text(item.get("relationship")) or "componentOf",
            depth=depth,
            issues=tuple(dict.fromkeys(code for code in codes if code != _UNTRUSTED)),
            finding=_finding(codes, has_credentials=parent is not None),
            signer=_text(signature.get("issuer")) or _text(signature.get("common_name")),
            claim_generator=_text(generator.get("name")),
            is_generated=any(_is_generating(action) for action in _actions(_assertions(own))),
        )
        if parent is not None and depth < MAX_INGREDIENTS // 4:
            yield from _ingredients(store, parent, depth + 1)


def _finding(codes: list[str], *, has_credentials: bool) -> Finding:
    issues = [code for code in codes if code != _UNTRUSTED]
    if "assertion.dataHash.mismatch" in issues:
        return "changed"
    if issues:
        return "damaged"
    if not has_credentials:
        return "no_credentials"
    return "unknown_signer" if codes else "holds"


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
