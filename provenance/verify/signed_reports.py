"""A verify report that can be shown to others: a signed note (C2SP signed-note, Ed25519).

Its text is one line that names the format and one line of JSON: what was found, the file's SHA-256,
the detector and the time. The log's key signs it, so whoever knows the log can check it.
"""

import json
from typing import Any

from django.conf import settings

from provenance.keys.installed_keys import keyring
from provenance.log import own_keys
from provenance.log.formats import checkpoint
from provenance.verify.verdicts import VerifyReport

FORMAT = "proofsheet-verify-report/v1"


def sign(report: VerifyReport) -> str:
    """The signed note of a report. Raises `KeysForeign`, `KeysMissing`."""
    own_keys.require()
    told = json.dumps(report.as_json(), ensure_ascii=False, separators=(",", ":"))
    return checkpoint.sign_text(
        f"{FORMAT}\n{told}\n", name=settings.PROOFSHEET_LOG_ORIGIN, key=keyring().log_key
    )


def read(note: str) -> dict[str, Any]:
    """What a report of this installation says. Raises `checkpoint.NoteInvalid`."""
    text = checkpoint.verify_text(
        note, name=settings.PROOFSHEET_LOG_ORIGIN, keys=keyring().log_verifiers()
    )
    name, _, told = text.partition("\n")
    if name != FORMAT:
        raise checkpoint.NoteInvalid(message="The note is no verify report.")
    found: dict[str, Any] = json.loads(told)
    return found
