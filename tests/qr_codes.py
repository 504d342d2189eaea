"""What a telephone reads from a card, in several tries: of a hundred good codes one misses six."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

NEAREST = Image.Resampling.NEAREST


def scanned(card: Image.Image) -> str:
    """By two readers at three sizes; empty where none of them finds a code."""
    readers = (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco())
    for scale in (1, 2, 3):
        large = card.convert("L").resize((card.width * scale, card.height * scale), NEAREST)
        for reader in readers:
            if found := str(reader.detectAndDecode(np.asarray(large))[0]):
                return found
    return ""
