"""ISCC Image-Code of 256 bits (ISO 24138:2024, section 5.4) by its own library. Pure.

The standard asks for 32 by 32 grey values, resized bicubically; transparency and EXIF turns are
taken care of where a picture is read.
"""

import iscc_core
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ALGORITHM = "io.iscc.v0"
SIDE, BITS = 32, 256


def image_code(pixels: NDArray[np.uint8]) -> str:
    """The code of uint8 [H, W, 3] RGB pixels, as `ISCC:…`."""
    grey = Image.fromarray(pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    values = np.asarray(grey, np.uint8).ravel().tolist()
    return str(iscc_core.gen_image_code_v0(values, bits=BITS)["iscc"])
