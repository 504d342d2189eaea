"""Which marks of a picture lead elsewhere than the one that is believed. No queries, no clock."""

from provenance.manifests.manifest_reading import ManifestReading
from provenance.marks.watermark import Detection
from provenance.verify.asset_lookup import AssetMatch, FoundAssets

_CREDENTIALS, _WATERMARK = "The Content Credentials", "The watermark"


def told(reading: ManifestReading, detection: Detection, found: FoundAssets) -> tuple[str, ...]:
    """One sentence for each; none where no record shows the same picture, for then nothing is
    believed.
    """
    best = found.best
    if best is None or not best.is_same_picture:
        return ()
    sentences = []
    named = found.by("manifest")
    if reading.asset_id and named is None:
        sentences.append(
            f"{_CREDENTIALS} name a record that is not kept here: not the one of this picture."
        )
    elif reading.asset_id is None and reading.state not in ("absent", "unreadable"):
        sentences.append(
            f"{_CREDENTIALS} say nothing of the record that this picture’s other marks lead to."
        )
    if detection.identifier is not None and found.by("watermark") is None:
        sentences.append(f"{_WATERMARK} leads to a record that is not kept here.")
    for subject, verb, match in (
        (_CREDENTIALS, "name", named),
        (_WATERMARK, "leads to", found.by("watermark")),
        ("The fingerprint", "leads to", found.by("fingerprint")),
    ):
        if match is not None and match is not best:
            sentences.append(f"{subject} {verb} {_other(match)}.")
    return tuple(sentences)


def _other(match: AssetMatch) -> str:
    if match.is_same_picture:
        return "another record, which shows the same picture"
    if match.comparison is None:
        return "a record that too little is seen to compare the picture with"
    if match.is_doubtful:
        return "the record of a picture that this one resembles"
    return "the record of another picture"
