"""From what was found in a file to the five verdicts and their sentences. No queries, no clock."""

from datetime import UTC, datetime
from typing import Literal

from provenance.log.asset_entries import CheckedEntry
from provenance.manifests import status_codes
from provenance.manifests.manifest_reading import IDENTITY, ManifestReading, Signature
from provenance.marks.watermark import Detection
from provenance.verify.asset_lookup import AssetMatch
from provenance.verify.verdicts import (
    FingerprintCheck,
    GenerationStatement,
    LogCheck,
    ManifestCheck,
    MarkVerdict,
    SignerCheck,
    WatermarkCheck,
)

_UNREADABLE = {
    "manifest.remote": "The file points to Content Credentials on another server. "
    "They are never fetched from there.",
    "manifest.several": "The file holds several sets of Content Credentials where one is allowed.",
    "manifest.too_large": "The Content Credentials in the file are too large, or compressed, to be "
    "looked at.",
    "manifest.unreadable": "The file holds Content Credentials that cannot be read.",
    "manifest.unsearchable": "The file could not be searched for Content Credentials.",
}
_OUR_QUOTES, _LONGEST_NAME = str.maketrans("“”", "''"), 80
STILL_ONLY = "pixel marks are looked for in still pictures."
NOTHING = "Nothing, one way or the other."
_REMOVED = "Nothing: apps and screenshots remove it, and other systems never had it."
_REMOVED_ALL = "Nothing: apps and screenshots remove them, and other systems never had them."

SIGNERS: dict[Signature, tuple[MarkVerdict, str, str]] = {
    "none": (MarkVerdict.ABSENT, "Nobody signed this file.", _REMOVED),
    "unread": (
        MarkVerdict.COULD_NOT_CHECK,
        "Whether anybody signed this file could not be checked.",
        NOTHING,
    ),
    "trusted": (
        MarkVerdict.FOUND_GOOD,
        "Signed by {signer}, and this system vouches for their certificate.",
        "The Content Credentials come from whom they name.",
    ),
    "listed": (
        MarkVerdict.FOUND_GOOD,
        "Signed by {signer}, who is on the list of signers that this system knows.",
        "The Content Credentials come from whom they name, which is not this system.",
    ),
    "unknown": (
        MarkVerdict.COULD_NOT_CHECK,
        "Signed by somebody who calls themselves {signer}. This system does not know them.",
        "The signature is sound, but anybody can take any name.",
    ),
    "expired": (
        MarkVerdict.FOUND_BAD,
        "The certificate of {signer} has run out, or was not valid yet, and no timestamp says "
        "that the file was signed while it was.",
        "Nothing about who signed. Nobody need have done wrong: certificates run out.",
    ),
    "revoked": (
        MarkVerdict.FOUND_BAD,
        "The certificate of {signer} was withdrawn on {day}: its key may be in other hands.",
        "Nothing by itself. What the public log holds from before that day, it still proves.",
    ),
    "distrusted": (
        MarkVerdict.FOUND_BAD,
        "The authority that vouched for {signer} is not relied on since {since}, and nothing "
        "shows that the file was signed before.",
        "Nothing: whoever has that authority's key can sign in any name.",
    ),
    "invalid": (
        MarkVerdict.FOUND_BAD,
        "The signature does not hold; that it is by {signer} is not shown.",
        "Nothing.",
    ),
}
"""The verdict on each kind of signature, its sentence and what it proves."""
_VOUCHED_BY: dict[Signature, Literal["this_system", "trust_list"]] = {
    "trusted": "this_system",
    "listed": "trust_list",
}


def of_manifest(reading: ManifestReading) -> ManifestCheck:
    """Whether the Content Credentials in the file are about these very bytes.

    Whatever c2pa calls invalid is never good here; what could not be checked is never bad.
    """
    verdict, sentence, proves = _words_of_manifest(reading)
    if IDENTITY in reading.unchecked:
        proves = f"{proves} Identities that they name are not checked here."
    return ManifestCheck(
        verdict,
        sentence,
        proves,
        reading.state,
        reading.issues,
        reading.ingredients,
        reading.visible_label,
        reading.unchecked,
    )


def _words_of_manifest(reading: ManifestReading) -> tuple[MarkVerdict, str, str]:
    broken = reading.broken
    match reading.state:
        case "absent":
            sentence, proves = "The file carries no Content Credentials.", _REMOVED_ALL
            return MarkVerdict.ABSENT, sentence, proves
        case "unreadable":
            sentence, proves = _UNREADABLE[reading.issues[0]], NOTHING
            return MarkVerdict.COULD_NOT_CHECK, sentence, proves
        case "invalid" if not _bytes_match(reading):
            proves = "This file is not what was signed. What was changed, they do not say."
            return MarkVerdict.FOUND_BAD, _mismatch(reading), proves
        case _ if broken is not None:
            sentence = (
                "The file is as it was signed, but a picture that went into it is not: "
                f"{_quoted(broken.title)}."
            )
            proves = "The history of the picture does not hold from there on."
            return MarkVerdict.FOUND_BAD, sentence, proves
        case "invalid":
            sentence = (
                "The file is as it was signed, but a signature or a part of its Content "
                "Credentials does not count or could not be checked."
            )
            return MarkVerdict.COULD_NOT_CHECK, sentence, "Nothing by itself: see who signed."
        case _:
            sentence = "The Content Credentials match this file."
            proves = "Nobody has changed the file since it was signed."
            return MarkVerdict.FOUND_GOOD, sentence, proves


def _bytes_match(reading: ManifestReading) -> bool:
    """An invalid certificate says nothing about the bytes; every other failure does."""
    return all(status_codes.is_about_signer(issue) for issue in reading.issues)


def _mismatch(reading: ManifestReading) -> str:
    if status_codes.CHANGED in reading.issues:
        return "The file was changed after its Content Credentials were signed."
    return "The Content Credentials themselves were changed or are damaged."


def of_signer(reading: ManifestReading) -> SignerCheck:
    """Who signed, and whether this system vouches for them."""
    verdict, sentence, proves = SIGNERS[reading.signature]
    words = {
        "signer": _quoted(reading.signer) if reading.signer else "a signer without a name",
        "since": told(reading.revoked_since or ""),
        "day": _day(reading.revoked_since),
    }
    if verdict == MarkVerdict.FOUND_GOOD:
        proves += _timed(reading)
    vouched_by = _VOUCHED_BY.get(reading.signature)
    return SignerCheck(verdict, sentence.format(**words), proves, reading.signer, vouched_by)


def of_generation(reading: ManifestReading) -> GenerationStatement | None:
    """What sound credentials of somebody else say: that a program made the picture.

    None where the signature is ours, for then the record or the disclosure says it.
    """
    said = reading.generation
    is_sound = reading.is_sound and reading.broken is None
    if said is None or not is_sound or reading.signature not in ("unknown", "listed"):
        return None
    by = _quoted(said.generator) if said.generator else "a program that they do not name"
    match said.extent:
        case "whole":
            what = f"{by} generated it"
        case "part":
            what = f"parts of it were generated by {by}"
        case "source":
            what = f"it was made from a picture that {by} generated"
    is_known = reading.signature == "listed"
    signer = _quoted(reading.signer) if reading.signer else "a signer without a name"
    rest = f"they are signed by {signer}" if is_known else "the signer is not known here"
    sentence = f"Its Content Credentials say that {what}; {rest}."
    return GenerationStatement(sentence, said.generator, said.extent, reading.signer, is_known)


def _quoted(name: str) -> str:
    """A name that somebody else chose, so that it cannot be taken for a part of our sentence."""
    plain = "".join(each for each in name if each.isprintable()).translate(_OUR_QUOTES)
    return f"“{plain[:_LONGEST_NAME]}{'…' if len(plain) > _LONGEST_NAME else ''}”"


def _timed(reading: ManifestReading) -> str:
    if reading.timestamp != "trusted" or not reading.signed_at:
        return ""
    return f" An independent timestamp says that they were signed by {told(reading.signed_at)}."


def _day(moment: str | None) -> str:
    return told(moment or "").partition(",")[0]


def told(moment: datetime | str) -> str:
    """A time as a person reads it, in UTC; what is no time stays as it is."""
    try:
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError:
        return str(moment)
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def of_log(match: AssetMatch | None, entry: CheckedEntry | None, *, is_same_file: bool) -> LogCheck:
    """Whether the public log holds an entry about this picture, and whether its proof holds."""
    if match is None or entry is None:
        sentence = "The log holds no entry about this picture."
        return LogCheck(MarkVerdict.ABSENT, sentence, "Nothing: it may come from elsewhere.")
    if not is_same_file and match.comparison is None:
        sentence = "Too little is seen to tell whether the entry that a mark leads to is about it."
        return LogCheck(MarkVerdict.COULD_NOT_CHECK, sentence, NOTHING)
    if not is_same_file and match.is_doubtful:
        sentence = "The entry that a mark leads to is about a picture that this one resembles."
        return LogCheck(MarkVerdict.COULD_NOT_CHECK, sentence, "Nothing for certain.")
    if not is_same_file and not match.is_same_picture:
        sentence = "The entry that a mark leads to is about a picture that looks different."
        return LogCheck(MarkVerdict.ABSENT, sentence, "Nothing about this picture.")
    if entry.fault:
        proves = "The log or the record was changed after the fact."
        return LogCheck(MarkVerdict.FOUND_BAD, entry.fault, proves, entry.index)
    if entry.index is None:
        sentence = "The log's entry about this picture waits for its place; ask again in a moment."
        return LogCheck(MarkVerdict.COULD_NOT_CHECK, sentence, "Nothing yet.")
    if not is_same_file and not match.is_looked_up:
        return LogCheck(
            MarkVerdict.FOUND_GOOD,
            f"Entry {entry.index} of the public log is about a picture that looks like this one.",
            "That the entry is genuine. That it is about this picture, only the likeness says.",
            entry.index,
            entry.tree_size,
        )
    what = "this very file" if is_same_file else "the original of this picture"
    return LogCheck(
        MarkVerdict.FOUND_GOOD,
        f"Entry {entry.index} of the public log is about {what}, and its proof holds.",
        f"The record was made when the log says, and nobody has changed it since.{_dated(entry)}",
        entry.index,
        entry.tree_size,
    )


def _dated(entry: CheckedEntry) -> str:
    if entry.dated_at is None:
        return ""
    return f" An independent timestamp says that it was there by {told(entry.dated_at)}."


def of_watermark(
    detection: Detection, match: AssetMatch | None, best: AssetMatch | None
) -> WatermarkCheck:
    """Whether the pixels carry our identifier, and whether its record shows the same picture.

    `match` is what the watermark leads to, `best` what any mark does.
    """
    if detection.identifier is None:
        sentence = "No watermark of this system was found in the picture."
        return WatermarkCheck(MarkVerdict.ABSENT, sentence, _REMOVED)
    verdict, sentence, proves = _of_read_watermark(match, best)
    identifier, geometry = f"{detection.identifier:016x}", _geometry(detection)
    return WatermarkCheck(verdict, sentence, proves, identifier, detection.confidence, geometry)


def _of_read_watermark(
    match: AssetMatch | None, best: AssetMatch | None
) -> tuple[MarkVerdict, str, str]:
    """Verdict, what was found, and what that proves."""
    if match is None:
        return (
            MarkVerdict.FOUND_BAD if best else MarkVerdict.COULD_NOT_CHECK,
            "There is a watermark of this system, but it leads to no record of this picture.",
            "Nothing: the record may have been erased, or the watermark was copied.",
        )
    if match.is_same_picture:
        return (
            MarkVerdict.FOUND_GOOD,
            "The watermark leads to a record, and the record shows the same picture.",
            "A part of the picture was marked by this system; what lies beside it was not."
            if match.beside
            else "The picture was marked by this system, and a part of it was changed since."
            if match.changed
            else "The picture was marked by this system. It may have been cut or resized since.",
        )
    if match.comparison is None:
        return (
            MarkVerdict.COULD_NOT_CHECK,
            "The watermark leads to a record, and too little is seen to compare it with.",
            "Nothing: the picture may be a small part of that one, or the watermark copied.",
        )
    if match.is_doubtful:
        return (
            MarkVerdict.COULD_NOT_CHECK,
            "The watermark leads to a record that looks much like the picture, but it also lies "
            "over what differs from that.",
            "Nothing for certain: an edit takes the watermark away where it puts something else. "
            "The whole picture was reworked, or the watermark was copied onto it.",
        )
    return (
        MarkVerdict.FOUND_BAD,
        "The watermark leads to a record that shows a different picture.",
        "The watermark was copied from elsewhere, or hardly anything of the picture is left.",
    )


def _geometry(detection: Detection) -> dict[str, float | bool] | None:
    geometry = detection.geometry
    if geometry is None:
        return None
    return {
        "scale": geometry.scale,
        "rotation_degrees": geometry.rotation_degrees,
        "stretch": geometry.stretch,
        "is_mirrored": geometry.is_mirrored,
        "is_negative": geometry.is_negative,
    }


def of_fingerprint(match: AssetMatch | None) -> FingerprintCheck:
    """Whether the picture looks like one of the records."""
    if match is None:
        sentence = "The picture looks like none that was marked here."
        return FingerprintCheck(MarkVerdict.ABSENT, sentence, "Nothing: it may be cut or reworked.")
    if match.distance is None:
        sentence = "There is too little to be seen to compare the picture with its record."
        return FingerprintCheck(MarkVerdict.COULD_NOT_CHECK, sentence, "Nothing.")
    if match.is_doubtful:
        sentence = "It looks much like the picture that its watermark leads to."
        proves = "Nothing for certain: the watermark may have been copied onto one that is alike."
        return FingerprintCheck(
            MarkVerdict.COULD_NOT_CHECK, sentence, proves, match.distance, match.kept
        )
    if not match.is_same_picture:
        sentence = "It does not look like the picture that its other marks lead to."
        proves = "It is another picture, or hardly anything of this one is left."
        return FingerprintCheck(MarkVerdict.FOUND_BAD, sentence, proves, match.distance, match.kept)
    if match.is_looked_up:
        sentence = "It looks like the picture that its other marks lead to"
        proves = "The marks belong to this picture and were not copied onto it."
    else:
        sentence = "It looks like a picture that was marked here"
        proves = "A likeness only: no other mark of the picture confirms it."
    changed = match.changed
    if changed:
        parts = "one part of it was" if len(changed) == 1 else f"{len(changed)} parts of it were"
        sentence += f", but {parts} changed"
        proves += " What was changed is not covered by them." if match.is_looked_up else ""
    if match.beside:
        sentence += "; what lies beside that does not come from it"
    return FingerprintCheck(
        MarkVerdict.FOUND_GOOD,
        f"{sentence}.",
        proves,
        match.distance,
        match.kept,
        changed,
        match.beside,
    )
