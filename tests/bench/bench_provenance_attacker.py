"""Rows on what somebody does who has fifty published pictures of the house, and on what programs
do to a picture on its way.

The fifty are read as no attacker can: with the unmarked originals at hand. Their mean difference,
with the energy of the strongest mark, is subtracted from other marked pictures and added to
pictures that nobody marked. A mark is found by its whole identifier; *anything of ours* is any
verdict but `not_found`. A program that is not installed has no row.
"""

import base64
import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from generation.starter.layout import MODEL
from provenance.marks import watermark
from tests.bench import local_edits
from tests.bench.local_edits import SIDE, Pixels
from tests.bench.report import Row, share_row
from tests.provenance.attacks import jpeg
from tests.provenance.pictures import PHOTOGRAPHS, drawing, photograph

PUBLISHED, DRAWINGS = 50, 24
TILTS_DEGREES = (5, 10, 15)
SIZES: dict[int, tuple[float | None, float | None]] = {
    400: (98, 99), 300: (98, 99), 200: (70, None), 150: (None, 91),
}  # fmt: skip
"""Sides that programs shrink a picture to, and what must, and what should, be found of them."""
OTHER_KEY = b"the attacker's own key"
PHP = (
    """imagejpeg(imagescale(imagecreatefrompng($argv[1]), $argv[3], -1, IMG_BICUBIC), $argv[2]);"""
)
CANVAS = """async ([source, side]) => {
  const image = new Image(); image.src = source; await image.decode();
  const canvas = document.createElement("canvas"); canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d"); pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, side, side);
  return canvas.toDataURL("image/jpeg", 0.85).split(",")[1]; }"""
Way = Callable[[Pixels], Pixels]


class Shrinking(Protocol):
    def __call__(self, pixels: Pixels, side: int) -> Pixels: ...


def attacker_figures(key: bytes, *, every: int, strewn: int) -> Iterator[Row]:
    """Of every so many pictures, and of so many unmarked ones."""
    common = _common(key)
    own = {
        "photographs": [each.pixels for each in local_edits.photographs()][::every],
        "drawings": [drawing(100 + seed) for seed in range(0, DRAWINGS, every)],
    }
    with ExitStack() as stack:
        programs = _programs(stack)
        for kind, pictures in own.items():
            marked = [watermark.embed(each, at, key=key) for at, each in enumerate(pictures)]
            row = partial(_found, key=key, marked=marked, kind=kind)
            yield row("fifty_subtracted", lambda each: _bytes(each - common), must=80, aim=95)
            yield row("negative", lambda each: np.asarray(255 - each, np.uint8))
            yield row("second_key", lambda each: watermark.embed(each, 7, key=OTHER_KEY))
            yield row("starter_autoencoder", _Autoencoder(), aim=50)
            for degrees in TILTS_DEGREES:
                yield row(f"tilted_{degrees}", partial(tilted, degrees=degrees), must=70, aim=95)
            for name, shrink in programs.items():
                for side, (must, aim) in SIZES.items():
                    yield row(f"{name}_{side}", partial(shrink, side=side), must=must, aim=aim)
    yield _strewn(common, strewn, key)


def _found(
    name: str,
    way: Way,
    *,
    key: bytes,
    marked: list[Pixels],
    kind: str,
    must: float | None = None,
    aim: float | None = None,
) -> Row:
    good = sum(
        watermark.detect(way(each), key=key).identifier == at for at, each in enumerate(marked)
    )
    called, of = f"attacker_{name}_{kind}", len(marked)
    row = share_row(called, good, of, better="higher", must=must, aim=aim)
    return replace(row, unit=f"% ({good} of {of})")


def _common(key: bytes) -> NDArray[np.float64]:
    """What fifty published pictures share beside their originals, float64 [512, 512, 3]."""
    own = [photograph(name) for name in PHOTOGRAPHS]
    own += [drawing(seed) for seed in range(PUBLISHED - len(own))]
    marked = [watermark.embed(each, 5000 + at, key=key) for at, each in enumerate(own)]
    mean = np.mean([1.0 * made - each for made, each in zip(marked, own, strict=True)], axis=0)
    energy = 255 / 10 ** (watermark.LEAST_PSNR_DB / 20)
    return np.asarray(mean * energy / np.sqrt(np.mean(mean**2)), np.float64)


def _strewn(common: NDArray[np.float64], count: int, key: bytes) -> Row:
    """Unmarked pictures with it laid over them, whole or cut out, that anything is said of."""
    sources = [each.pixels for each in local_edits.photographs()]
    sources += [drawing(200 + seed) for seed in range(DRAWINGS)]
    said = 0
    for number in range(count):
        random = np.random.default_rng((22, number))
        side = int(random.integers(SIDE // 2, SIDE + 1))
        top, left = random.integers(0, SIDE - side + 1, 2)
        laid = _bytes(sources[number % len(sources)] + (1 + number % 2) * common)
        part = np.ascontiguousarray(laid[top : top + side, left : left + side])
        found = watermark.detect(jpeg(part, int(random.integers(60, 96))), key=key)
        said += found.verdict != "not_found"
    return Row("attacker_fifty_added_anything_of_ours", said, f"of {count}", must=0)


def _bytes(pixels: NDArray[np.float64]) -> Pixels:
    return np.asarray(np.clip(np.rint(pixels), 0, 255), np.uint8)


def tilted(pixels: Pixels, degrees: float) -> Pixels:
    """Photographed with the sheet turned so far about its upright axis, and half as far about the
    other, from twice its width away.
    """
    yaw, pitch = np.deg2rad([degrees, degrees / 2])
    about = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    over = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    seen = np.column_stack([corners, np.zeros(4)]) @ (over @ about).T + [0, 0, 2]
    flat = (seen[:, :2] / seen[:, 2:] * 2 * 0.95 + 0.5) * SIDE
    source = ((corners + 0.5) * SIDE).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, flat.astype(np.float32))
    size, white = (SIDE, SIDE), (255, 255, 255)
    warped = cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderValue=white)
    return jpeg(np.asarray(warped, np.uint8), 85)


class _Autoencoder:
    """There and back through the starter model's own, eight pixels a patch."""

    def __init__(self) -> None:
        self._model = AutoencoderTiny.from_pretrained(MODEL / "vae", torch_dtype=torch.float32)

    @torch.no_grad()
    def __call__(self, pixels: Pixels) -> Pixels:
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 127.5 - 1
        back = self._model.decode(self._model.encode(image).latents).sample[0]
        return _bytes((back.permute(1, 2, 0).numpy().astype(np.float64) + 1) * 127.5)


def _programs(stack: ExitStack) -> dict[str, Shrinking]:
    """What is installed of those that shrink pictures for people's pages."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    magick = shutil.which("magick") or shutil.which("convert-im6.q16")
    commands = {
        "imagemagick": (magick, ["{from}", "-thumbnail", "{side}", "-quality", "82", "{to}"]),
        "libvips": (shutil.which("vipsthumbnail"), ["{from}", "-s", "{side}", "-o", "{to}[Q=80]"]),
        "php_gd": (shutil.which("php"), ["-r", PHP, "{from}", "{to}", "{side}"]),
    }
    found: dict[str, Shrinking] = {"pillow": _by_pillow}
    for name, (program, arguments) in commands.items():
        if program is not None:
            found[name] = partial(_by_command, command=[program, *arguments], folder=folder)
    browser = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if browser is not None:
        driver = stack.enter_context(sync_playwright())
        launched = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        stack.callback(launched.close)
        found["chromium_canvas"] = partial(_by_canvas, page=launched.new_page())
    return found


def _by_pillow(pixels: Pixels, side: int) -> Pixels:
    image, buffer = Image.fromarray(pixels), io.BytesIO()
    image.thumbnail((side, side))
    image.save(buffer, "JPEG")
    return _decoded(buffer.getvalue())


def _by_command(pixels: Pixels, side: int, command: list[str], folder: Path) -> Pixels:
    source, target = folder / "from.png", folder / "to.jpg"
    Image.fromarray(pixels).save(source)
    names = {"{from}": str(source), "{to}": str(target), "{side}": str(side)}
    said = [names.get(each, each.replace("{to}", str(target))) for each in command]
    subprocess.run(said, check=True, capture_output=True)
    return _decoded(target.read_bytes())


def _by_canvas(pixels: Pixels, side: int, page: Page) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return _decoded(base64.b64decode(page.evaluate(CANVAS, [source, side])))


def _decoded(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.uint8)
