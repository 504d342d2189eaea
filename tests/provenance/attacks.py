"""What happens to a picture on its way through the world, as functions of uint8 [H, W, 3] RGB.

Each is deterministic, so that a figure can be measured again.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Attack = Callable[[Pixels], Pixels]


def _coded(pixels: Pixels, extension: str, parameters: list[int]) -> Pixels:
    _, buffer = cv2.imencode(extension, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), parameters)
    decoded = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    return _coded(pixels, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def webp(pixels: Pixels, quality: int) -> Pixels:
    return _coded(pixels, ".webp", [cv2.IMWRITE_WEBP_QUALITY, quality])


def resized(pixels: Pixels, across: float, down: float | None = None) -> Pixels:
    height, width = pixels.shape[:2]
    size = (round(width * across), round(height * (down or across)))
    method = cv2.INTER_AREA if across < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def cropped(pixels: Pixels, share: float) -> Pixels:
    """Take `share` of each side length away, a little off the middle."""
    height, width = pixels.shape[:2]
    top, left = int(height * share * 0.4), int(width * share * 0.6)
    tall, wide = round(height * (1 - share)), round(width * (1 - share))
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])


def rotated(pixels: Pixels, degrees: float) -> Pixels:
    """Turn about the middle in the same frame; the corners come out white."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    turned = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255)
    )
    return np.asarray(turned, np.uint8)


def mirrored(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


def quarter_turned(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels))


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def noisy(pixels: Pixels, sigma: float) -> Pixels:
    noise = np.random.default_rng(7).normal(0, sigma, pixels.shape)
    return np.asarray(np.clip(np.rint(pixels + noise), 0, 255), np.uint8)


def brightened(pixels: Pixels, gain: float) -> Pixels:
    return np.asarray(np.clip(np.rint(pixels * gain), 0, 255), np.uint8)


def contrasted(pixels: Pixels, gain: float) -> Pixels:
    return np.asarray(np.clip(np.rint((pixels - 128.0) * gain + 128), 0, 255), np.uint8)


def gamma(pixels: Pixels, power: float) -> Pixels:
    return np.asarray(np.rint(255 * (pixels / 255.0) ** power), np.uint8)


def palette(pixels: Pixels, colours: int) -> Pixels:
    from PIL import Image

    quantised = Image.fromarray(pixels).quantize(colours, dither=Image.Dither.NONE)
    return np.asarray(quantised.convert("RGB"), np.uint8)


def overlaid(pixels: Pixels) -> Pixels:
    """A text bar and a sticker over about a fifth of the picture."""
    covered = pixels.copy()
    height, width = pixels.shape[:2]
    covered[: height // 8] = (20, 20, 24)
    cv2.putText(covered, "look at this", (width // 8, height // 11), 0, width / 500, (255,) * 3, 2)
    cv2.circle(covered, (width * 3 // 4, height * 3 // 4), height // 6, (250, 210, 40), -1)
    return covered


def median(pixels: Pixels, side: int) -> Pixels:
    return np.asarray(cv2.medianBlur(pixels, side), np.uint8)


def denoised(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.fastNlMeansDenoisingColored(pixels, None, 4, 4, 5, 11), np.uint8)


def cropped_screenshot(pixels: Pixels) -> Pixels:
    return jpeg(gamma(resized(cropped(pixels, 0.06), 0.83), 1.1), 80)


def full_screenshot(pixels: Pixels) -> Pixels:
    """A page with a title bar, text and a side column around the picture, at 0.9 of its size."""
    inner = resized(pixels, 0.9)
    height, width = inner.shape[:2]
    page = np.full((height + 170, width + 300, 3), 247, np.uint8)
    page[:60] = (28, 27, 30)
    page[60:, -180:] = (232, 232, 236)
    cv2.putText(page, "Gallery   Search   Account", (20, 40), 0, 0.7, (240,) * 3, 1, cv2.LINE_AA)
    for line in range(10):
        place = (width + 135, 100 + 36 * line)
        cv2.putText(page, "a line of text", place, 0, 0.5, (60,) * 3, 1, cv2.LINE_AA)
    page[85 : 85 + height, 60 : 60 + width] = inner
    return jpeg(page, 90)


def social(pixels: Pixels) -> Pixels:
    return jpeg(brightened(cropped(resized(pixels, 0.75), 0.10), 1.1), 70)


def perspective(pixels: Pixels) -> Pixels:
    """A print photographed a little from the side."""
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    share = np.array([[0.02, 0.01], [0.99, 0.0], [0.98, 0.985], [0.0, 1.0]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, (share * [width, height]).astype(np.float32))
    warped = cv2.warpPerspective(pixels, matrix, (width, height), borderValue=(255, 255, 255))
    return jpeg(gamma(np.asarray(warped, np.uint8), 0.92), 80)


def from_the_side(pixels: Pixels, seed: int) -> Pixels:
    """Photographed from another side: every corner up to 4 % away."""
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = np.random.default_rng(seed).uniform(-0.04, 0.04, (4, 2)) * [width, height]
    matrix = cv2.getPerspectiveTransform(corners, (corners + moved).astype(np.float32))
    return jpeg(np.asarray(cv2.warpPerspective(pixels, matrix, (width, height)), np.uint8), 85)


ATTACKS: dict[str, Attack] = {
    "none": lambda p: p,
    "jpeg_90": lambda p: jpeg(p, 90),
    "jpeg_70": lambda p: jpeg(p, 70),
    "jpeg_50": lambda p: jpeg(p, 50),
    "webp_50": lambda p: webp(p, 50),
    "resize_50": lambda p: resized(p, 0.5),
    "resize_50_jpeg_70": lambda p: jpeg(resized(p, 0.5), 70),
    "crop_10": lambda p: cropped(p, 0.10),
    "crop_30": lambda p: cropped(p, 0.30),
    "rotate_10": lambda p: rotated(p, 10),
    "mirror": mirrored,
    "rotate_90": quarter_turned,
    "blur_2": lambda p: blurred(p, 2.0),
    "brightness_130": lambda p: brightened(p, 1.3),
    "cropped_screenshot": cropped_screenshot,
    "full_screenshot": full_screenshot,
    "social": social,
}
"""The attacks that the targets are set over."""

BEYOND: dict[str, Attack] = {
    "jpeg_30": lambda p: jpeg(p, 30),
    "resize_25": lambda p: resized(p, 0.25),
    "resize_200": lambda p: resized(p, 2.0),
    "crop_60": lambda p: cropped(p, 0.60),
    "rotate_2": lambda p: rotated(p, 2),
    "rotate_45": lambda p: rotated(p, 45),
    "noise_8": lambda p: noisy(p, 8),
    "contrast_70": lambda p: contrasted(p, 0.7),
    "gamma_140": lambda p: gamma(p, 1.4),
    "palette_32": lambda p: palette(p, 32),
    "overlay": overlaid,
    "median_5": lambda p: median(p, 5),
    "denoise": denoised,
    "aspect_115": lambda p: resized(p, 1.15, 1.0),
    "perspective": perspective,
}
"""Harder ones, measured and shown without a target."""
