"""What the failure codes of C2PA (2.x, section 15.2.2) say: that something is bad, that a signer's
certificate does not count, or only that something could not be checked. Pure.
"""

from collections.abc import Iterable
from typing import Any

UNTRUSTED = "signingCredential.untrusted"
CHANGED = "assertion.dataHash.mismatch"
_ABOUT_SIGNER = ("signingCredential.", "claimSignature.outsideValidity")
_NOT_CHECKED = (
    "cawg.",  # identities: nobody is asked about them here
    "timeStamp.",  # without a time that holds, the signature has none
    "algorithm.unsupported",
    "assertion.inaccessible",
    "ingredient.unknownProvenance",
    "manifest.inaccessible",
    "signingCredential.ocsp.inaccessible",
    "signingCredential.ocsp.skipped",
    "signingCredential.ocsp.unknown",
)


def failures(results: Any) -> list[str]:
    """The failure codes of one manifest's validation results, each once."""
    found = results.get("failure") if isinstance(results, dict) else None
    return codes_of(found or [])


def codes_of(statuses: Iterable[Any]) -> list[str]:
    """The codes of c2pa's statuses, each once, in their order."""
    return list(dict.fromkeys(str(each.get("code")) for each in statuses))


def is_not_checked(code: str) -> bool:
    """Whether a code says that something could not be checked, which makes nothing bad."""
    return code.startswith(_NOT_CHECKED)


def is_about_signer(code: str) -> bool:
    """Whether a code is about the signer's certificate, and so says nothing about the bytes."""
    return code.startswith(_ABOUT_SIGNER)
