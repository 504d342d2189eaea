"""The file of checksums that goes with every export."""

import hashlib
from collections.abc import Mapping


def sha256sums(files: Mapping[str, bytes]) -> bytes:
    """``SHA256SUMS`` as ``sha256sum --check`` reads it."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in sorted(files.items()))
    return ("\n".join(lines) + "\n").encode()
