"""Colours as a screen for sRGB shows them: by ICC profile, by a PNG's gamma and points, by the code
points of H.273. Pure.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_SRGB = ImageCms.createProfile("sRGB")
_D65 = (0.3127, 0.3290)
_REC709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_PRIMARIES = {
    1: _REC709,
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""By H.273's colour primaries: BT.709, BT.2020 and Display P3."""
_UNIT = 100_000
_STEPS = np.arange(256) / 255
_SRGB_LIGHT = np.where(_STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_LIGHT = dict.fromkeys((1, 6, 13, 14, 15), _SRGB_LIGHT) | {
    4: (_STEPS**2.2).astype(np.float32),
    5: (_STEPS**2.8).astype(np.float32),
    8: _STEPS.astype(np.float32),
}
"""By H.273's transfer characteristics; that of television is taken for sRGB's, as browsers do."""
BAND_ROWS = 64
Matrix = NDArray[np.float64]
Point = tuple[float, float]


def by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """An L, RGB or CMYK picture in sRGB, mode RGB; an absent profile changes nothing, and
    neither does one that is broken or for other channels, as browsers have it.
    """
    if profile:
        try:
            meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(
                image, meant, _SRGB, ImageCms.Intent.PERCEPTUAL, outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return image.convert("RGB")
        assert turned is not None, "only a conversion in place returns nothing"
        return turned
    return image.convert("RGB")


@dataclass(frozen=True, slots=True)
class Space:
    """What a file says of its colours without a profile: `light` float32 [256] leads from 8 bits to
    linear light; points are (x, y) of CIE 1931.
    """

    light: NDArray[np.float32]
    white: Point = _D65
    primaries: tuple[Point, ...] = _REC709


def space_of_gamma(told: tuple[int, ...]) -> Space | None:
    """Of a PNG's gamma and, where there are nine, its white, red, green and blue points, in units
    of 1/100,000 (PNG 1.3, sections 11.3.2.1 and 11.3.2.2); None where they mean nothing.
    """
    gamma, *points = (each / _UNIT for each in told)
    if gamma <= 0 or min(points, default=1) <= 0:
        return None
    light = (_STEPS ** (1 / gamma)).astype(np.float32)
    white, *primaries = list(zip(points[::2], points[1::2], strict=True)) or (_D65, *_REC709)
    return Space(light, white, tuple(primaries))


def space_of_codes(primaries: int, transfer: int) -> Space | None:
    """Of two code points of ITU-T H.273; None for what sRGB is near enough, as browsers have it,
    and for what is not known here (PQ and HLG among it).
    """
    if transfer not in _LIGHT or primaries not in _PRIMARIES or (primaries, transfer) == (1, 13):
        return None
    return Space(_LIGHT[transfer], primaries=_PRIMARIES[primaries])


def by_space(pixels: NDArray[np.uint8], space: Space) -> NDArray[np.uint8]:
    """sRGB of uint8 [H, W, 3] pixels in another space; unchanged where its points lie on a line."""
    try:
        to_xyz = _adapted(space.white) @ _to_xyz(space.primaries, space.white)
    except np.linalg.LinAlgError:
        return pixels
    turned = (np.linalg.inv(_to_xyz(_REC709, _D65)) @ to_xyz).T.astype(np.float32)
    out = np.empty_like(pixels)
    for top in range(0, len(pixels), BAND_ROWS):
        light = space.light[pixels[top : top + BAND_ROWS]] @ turned
        steps = np.rint(np.clip(light, 0, 1) * (len(_ENCODED) - 1)).astype(np.uint16)
        out[top : top + BAND_ROWS] = _ENCODED[steps]
    return out


def _encoded() -> NDArray[np.uint8]:
    """sRGB's transfer function (IEC 61966-2-1) in steps fine enough for 8 bits."""
    light = np.linspace(0, 1, 1 << 14)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * curve), np.uint8)


_ENCODED = _encoded()


def _xyz(point: Point) -> Matrix:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _to_xyz(primaries: tuple[Point, ...], white: Point) -> Matrix:
    """The matrix from linear RGB to XYZ. Raises `LinAlgError` for points on one line."""
    columns = np.column_stack([_xyz(point) for point in primaries])
    return columns * np.linalg.solve(columns, _xyz(white))


def _adapted(white: Point) -> Matrix:
    """From one white to D65 (Bradford)."""
    cone = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    gain = (cone @ _xyz(_D65)) / (cone @ _xyz(white))
    return np.asarray(np.linalg.inv(cone) @ np.diag(gain) @ cone)
