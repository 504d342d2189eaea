"""From what was found in a file to the five verdicts and their sentences. No queries, no clock."""

from provenance.entries import CheckedEntry
from provenance.manifest_reading import ManifestReading
from provenance.records import Match
from provenance.verdicts import (
    FingerprintCheck,
    LogCheck,
    ManifestCheck,
    SignerCheck,
    Verdict,
    WatermarkCheck,
)
from provenance.watermark import Detection

_UNREADABLE = {
    "manifest.remote": "The file points to Content Credentials on another server. "
    "They are never fetched from there.",
    "manifest.too_large": "The Content Credentials in the file are too large to be looked at.",
    "manifest.unreadable": "The file holds Content Credentials that cannot be read.",
}
_NOTHING = "Nothing: apps and screenshots remove it, and other systems never had it."


def of_manifest(reading: ManifestReading) -> ManifestCheck:
    """Whether the Content Credentials in the file are about these very bytes."""
    bad_parents = [item for item in reading.ingredients if item.issues]
    match reading.state:
        case "absent":
            verdict, sentence = Verdict.ABSENT, "The file carries no Content Credentials."
            proves = _NOTHING
        case "unreadable":
            sentence = _UNREADABLE[reading.issues[0]]
            verdict, proves = Verdict.COULD_NOT_CHECK, "Nothing, one way or the other."
        case "invalid" if not _bytes_match(reading):
            verdict = Verdict.FOUND_BAD
            sentence = _mismatch(reading)
            proves = "This file is not what was signed."
        case _ if bad_parents:
            verdict = Verdict.FOUND_BAD
            sentence = f"A picture that it was made from does not verify: {bad_parents[0].title}."
            proves = "The file itself is as it was signed, but its history does not hold."
        case _:
            verdict, sentence = Verdict.FOUND_GOOD, "The Content Credentials match this file."
            proves = "Nobody has changed the file since it was signed."
    return ManifestCheck(
        verdict, sentence, proves, reading.state, reading.issues, reading.ingredients
    )


def _bytes_match(reading: ManifestReading) -> bool:
    """An invalid certificate says nothing about the bytes; every other failure does."""
    return all(issue.startswith("signingCredential.") for issue in reading.issues)


def _mismatch(reading: ManifestReading) -> str:
    if "assertion.dataHash.mismatch" in reading.issues:
        return "The file was changed after its Content Credentials were signed."
    return "The Content Credentials themselves were changed or are damaged."


def of_signer(reading: ManifestReading) -> SignerCheck:
    """Who signed, and whether this installation vouches for them."""
    name = reading.signer
    shown = f"“{name}”" if name else "a signer without a name"
    match reading.signature:
        case "none":
            return SignerCheck(Verdict.ABSENT, "Nobody signed this file.", _NOTHING)
        case "trusted":
            return SignerCheck(
                Verdict.FOUND_GOOD,
                f"Signed by {shown}, whose certificate this installation vouches for.",
                "The Content Credentials come from who they name.",
                name,
            )
        case "unknown":
            return SignerCheck(
                Verdict.COULD_NOT_CHECK,
                f"Signed by {shown}, whom this installation does not know.",
                "The signature itself is sound; whether the name is true, it does not say.",
                name,
            )
        case "invalid":
            return SignerCheck(Verdict.FOUND_BAD, _bad_signature(reading, shown), "Nothing.", name)


def _bad_signature(reading: ManifestReading, shown: str) -> str:
    if any("expired" in issue or "outsideValidity" in issue for issue in reading.issues):
        return f"The certificate of {shown} was not valid at the time, or has run out since."
    return f"The signature does not hold; that it is by {shown} is not shown."


def of_log(match: Match | None, entry: CheckedEntry | None, *, is_same_file: bool) -> LogCheck:
    """Whether the public log holds an entry about this picture, and whether its proof holds."""
    if match is None or entry is None:
        sentence = "The log holds no entry about this picture."
        return LogCheck(Verdict.ABSENT, sentence, "Nothing: it may come from elsewhere.")
    if not is_same_file and not match.is_same_picture:
        sentence = "The log's entry that a mark names is about a picture that looks different."
        return LogCheck(Verdict.ABSENT, sentence, "Nothing about this picture.")
    if entry.fault:
        proves = "The log or the record was changed after the fact."
        return LogCheck(Verdict.FOUND_BAD, entry.fault, proves, entry.index)
    if entry.index is None:
        sentence = "The log's entry about this picture waits for its place; ask again in a moment."
        return LogCheck(Verdict.COULD_NOT_CHECK, sentence, "Nothing yet.")
    what = "this very file" if is_same_file else "the picture that this one was made from"
    return LogCheck(
        Verdict.FOUND_GOOD,
        f"Entry {entry.index} of the public log is about {what}, and its proof holds.",
        "The record was made when the log says, and nobody has changed it since.",
        entry.index,
        entry.tree_size,
    )


def of_watermark(detection: Detection, match: Match | None) -> WatermarkCheck:
    """Whether the pixels carry our identifier, and whether its record shows the same picture."""
    if detection.verdict == "not_found":
        sentence = "No watermark of this installation was found in the pixels."
        return WatermarkCheck(Verdict.ABSENT, sentence, _NOTHING)
    if detection.identifier is None:
        verdict = Verdict.COULD_NOT_CHECK
        sentence = "There are traces of a watermark, too damaged to be read."
        proves = "The picture may come from this system, much reworked."
    elif match is None or match.asset.watermark_id != f"{detection.identifier:016x}":
        verdict = Verdict.FOUND_BAD if match else Verdict.COULD_NOT_CHECK
        sentence = "The watermark's identifier belongs to no record of this picture."
        proves = "Nothing: its record may have been erased, or the mark was copied."
    elif match.is_same_picture:
        verdict = Verdict.FOUND_GOOD
        sentence = "The pixels carry the identifier of a record that shows the same picture."
        proves = "The picture was marked by this system. It may have been cut or resized since."
    else:
        verdict = Verdict.FOUND_BAD
        sentence = "The pixels carry the identifier of a record that shows a different picture."
        proves = "The mark was copied from elsewhere, or the picture was changed very much."
    identifier = None if detection.identifier is None else f"{detection.identifier:016x}"
    return WatermarkCheck(
        verdict, sentence, proves, identifier, detection.confidence, _geometry(detection)
    )


def _geometry(detection: Detection) -> dict[str, float | bool] | None:
    geometry = detection.geometry
    if geometry is None:
        return None
    return {
        "scale": geometry.scale,
        "rotation_degrees": geometry.rotation_degrees,
        "is_mirrored": geometry.is_mirrored,
    }


def of_fingerprint(match: Match | None) -> FingerprintCheck:
    """Whether the picture looks like one of the records."""
    if match is None:
        sentence = "The picture looks like none of this installation's records."
        return FingerprintCheck(Verdict.ABSENT, sentence, "Nothing: it may be cut or reworked.")
    if match.distance is None:
        sentence = "Too little of the picture is left to compare it with its record."
        return FingerprintCheck(Verdict.COULD_NOT_CHECK, sentence, "Nothing.")
    if not match.is_same_picture:
        sentence = f"It differs from the record that its marks name ({match.distance} of 256 bits)."
        proves = "It is another picture, or this one was changed very much."
        return FingerprintCheck(Verdict.FOUND_BAD, sentence, proves, match.distance)
    if match.is_looked_up:
        sentence = f"It looks like the record that its marks name ({match.distance} of 256 bits)."
        proves = "The marks belong to this picture and were not copied onto it."
    else:
        sentence = f"It looks like one of the records ({match.distance} of 256 bits differ)."
        proves = "A likeness only: no other mark of the picture confirms it."
    return FingerprintCheck(Verdict.FOUND_GOOD, sentence, proves, match.distance)
