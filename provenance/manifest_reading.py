"""What a manifest store says, taken from c2pa's JSON report (C2PA 2.x, section 15). Pure.

`issues` are the specification's failure codes, and three of our own: `manifest.remote`,
`manifest.too_large` and `manifest.unreadable`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

ASSET_LABEL = "app.proofsheet.asset"
MAX_INGREDIENTS = 64
_UNTRUSTED = "signingCredential.untrusted"
_BAD_SIGNATURE = ("claimSignature.", "signingCredential.", "algorithm.")
_ALTERING = ("c2pa.edited", "c2pa.opened")

State = Literal["absent", "unreadable", "invalid", "valid", "trusted"]
Signature = Literal["none", "trusted", "unknown", "invalid"]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture that went into the one at hand; `depth` 1 is its direct parent."""

    title: str
    relationship: str
    depth: int
    issues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManifestReading:
    """What a file's manifest says of itself.

    `state` is absent (none in the file), unreadable, invalid (it does not match the file), valid
    (it matches, by a signer that we do not know) or trusted. `signature` speaks of the signature
    and its certificate alone.
    """

    state: State
    issues: tuple[str, ...] = ()
    signature: Signature = "none"
    signer: str | None = None
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


def read(store: dict[str, Any], state: str) -> ManifestReading:
    """The reading of a report and its validation state. Raises `KeyError` or `TypeError` where the
    report has another shape than c2pa gives it.
    """
    manifest = store["manifests"][store["active_manifest"]]
    failures, successes = _codes(store, "failure"), _codes(store, "success")
    assertions = {item["label"]: item.get("data") or {} for item in manifest.get("assertions", [])}
    actions = _actions(assertions)
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    signature = manifest.get("signature_info") or {}
    asset = assertions.get(ASSET_LABEL) or {}
    return ManifestReading(
        state=_state(state),
        issues=tuple(dict.fromkeys(failures)),
        signature=_signature(successes, failures),
        signer=_text(signature.get("issuer")) or _text(signature.get("common_name")),
        claim_generator=_text(generator.get("name")),
        claim_generator_version=_text(generator.get("version")),
        asset_id=_text(asset.get("id")),
        created_at=_text(asset.get("created_at")),
        is_generated=any(_is_generating(action) for action in actions),
        is_altered=any(action.get("action") in _ALTERING for action in actions),
        ingredients=tuple(_ingredients(store, manifest)),
    )


def _actions(assertions: dict[str, Any]) -> list[dict[str, Any]]:
    found = assertions.get("c2pa.actions.v2") or assertions.get("c2pa.actions") or {}
    return list(found.get("actions", []))


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
    if any(code.startswith(_BAD_SIGNATURE) and code != _UNTRUSTED for code in failures):
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
        yield Ingredient(
            title=_text(item.get("title")) or "an unnamed picture",
            relationship=_text(item.get("relationship")) or "componentOf",
            depth=depth,
            issues=tuple(dict.fromkeys(code for code in codes if code != _UNTRUSTED)),
        )
        parent = store["manifests"].get(item.get("active_manifest"))
        if parent is not None and depth < MAX_INGREDIENTS // 4:
            yield from _ingredients(store, parent, depth + 1)


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
