"""What went into a picture, from c2pa's JSON report, and what its own credentials are worth. Pure.

c2pa tells in three places that an ingredient failed: in what its user recorded when it went in
(`validation_results`, or `validation_status` in older manifests), and in `ingredientDeltas`, where
it is checked again today.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from provenance.manifests import origins, status_codes

MAX_DEPTH, MAX_SHOWN = 16, 256

Finding = Literal[
    "holds", "unknown_signer", "no_credentials", "not_checked", "bad_signer", "changed", "damaged"
]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture that went into the one at hand; `depth` 1 is its direct parent.

    `finding` says what its own credentials were worth when it went in, or are today: they hold,
    hold but by a signer whom nobody vouches for, are none, could not be checked, are by a
    certificate that does not count, do not match it, or are damaged.
    """

    title: str
    relationship: str
    depth: int
    issues: tuple[str, ...]
    finding: Finding = "no_credentials"
    signer: str | None = None
    claim_generator: str | None = None
    is_generated: bool = False

    @property
    def is_bad(self) -> bool:
        return self.finding in ("changed", "damaged")


def shown(store: Mapping[str, Any]) -> tuple[Ingredient, ...]:
    """The history of the active manifest's picture, depth first, as far as it is shown."""
    deltas = _deltas(store)
    return tuple(islice(_walk(store, deltas, str(store["active_manifest"]), 1), MAX_SHOWN))


def first_bad(store: Mapping[str, Any]) -> Ingredient | None:
    """The first ingredient, in whatever manifest of the history, whose credentials are bad."""
    deltas, label = _deltas(store), str(store["active_manifest"])
    seen, waiting = {label}, deque([(label, 1)])
    while waiting:
        label, depth = waiting.popleft()
        for item in _ingredients_of(store, label):
            found = _ingredient(store, deltas, label, item, depth)
            if found.is_bad:
                return found
            parent = str(item.get("active_manifest"))
            if parent in store["manifests"] and parent not in seen:
                seen.add(parent)
                waiting.append((parent, depth + 1))
    return None


def _walk(
    store: Mapping[str, Any], deltas: Mapping[str, list[str]], label: str, depth: int
) -> Iterator[Ingredient]:
    for item in _ingredients_of(store, label):
        yield _ingredient(store, deltas, label, item, depth)
        parent = str(item.get("active_manifest"))
        if parent in store["manifests"] and depth < MAX_DEPTH:
            yield from _walk(store, deltas, parent, depth + 1)


def _ingredients_of(store: Mapping[str, Any], label: str) -> list[dict[str, Any]]:
    return list(store["manifests"][label].get("ingredients", []))


def _ingredient(
    store: Mapping[str, Any],
    deltas: Mapping[str, list[str]],
    label: str,
    item: Mapping[str, Any],
    depth: int,
) -> Ingredient:
    place = f"{label}/c2pa.assertions/{item.get('label')}"
    codes = [*_recorded(item), *deltas.get(place, [])]
    parent = store["manifests"].get(item.get("active_manifest"))
    own = parent or {}
    issues = [code for code in dict.fromkeys(codes) if code != status_codes.UNTRUSTED]
    return Ingredient(
        title=text(item.get("title")) or "an unnamed picture",
        relationship=text(item.get("relationship")) or "componentOf",
        depth=depth,
        issues=tuple(issues),
        finding=_finding(codes, has_credentials=parent is not None),
        signer=signer_of(own),
        claim_generator=origins.generator_of(own),
        is_generated=origins.is_generated(own),
    )


def _recorded(item: Mapping[str, Any]) -> list[str]:
    """What was found when the picture went in, and about what had gone into it before."""
    results = item.get("validation_results") or {}
    before = [each.get("validationDeltas") for each in results.get("ingredientDeltas") or []]
    return [
        *status_codes.failures(results.get("activeManifest")),
        *(code for each in before for code in status_codes.failures(each)),
        *status_codes.codes_of(item.get("validation_status") or []),
    ]


def _deltas(store: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is found today, by the manifest's label and the ingredient's in it."""
    found: dict[str, list[str]] = {}
    results = store.get("validation_results") or {}
    for each in results.get("ingredientDeltas") or []:
        place = str(each.get("ingredientAssertionURI")).partition("/c2pa/")[2]
        found.setdefault(place, []).extend(status_codes.failures(each.get("validationDeltas")))
    return found


def _finding(codes: list[str], *, has_credentials: bool) -> Finding:
    bad = [code for code in codes if not status_codes.is_not_checked(code)]
    if status_codes.CHANGED in bad:
        return "changed"
    if any(not status_codes.is_about_signer(code) for code in bad):
        return "damaged"
    if not has_credentials:
        return "no_credentials"
    if any(code != status_codes.UNTRUSTED for code in bad):
        return "bad_signer"
    if len(bad) < len(codes):
        return "not_checked"
    return "unknown_signer" if codes else "holds"


def signer_of(manifest: Mapping[str, Any]) -> str | None:
    """Who signed a manifest, as the certificate names them."""
    signature = manifest.get("signature_info") or {}
    return text(signature.get("issuer")) or text(signature.get("common_name"))


def text(value: Any) -> str | None:
    """A string that somebody else wrote, at most 200 characters of it; None where it is none."""
    return value[:200] if isinstance(value, str) and value else None
