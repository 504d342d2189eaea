"""Pictures: openly licensed emoji sets, fetched by exact version and drawn at 128 px on white.

    python -m generation.starter.corpus.picture_sets          fetch and draw all sets

Packages and drawn pictures are kept in a folder that git ignores.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.starter.corpus.captions import Caption, bare_code, read_captions

SIZE = 128
CACHE = Path("var/training")
EMOJIBASE = ("emojibase-data", "17.0.0")


@dataclass(frozen=True, slots=True)
class PictureSet:
    """One emoji set on npm; `iconify` sets hold SVG in JSON, others a WebP per code point."""

    slug: str
    package: str
    version: str
    licence: str
    attribution: str
    is_iconify: bool = True


SETS = {
    "noto": PictureSet(
        "noto", "@iconify-json/noto", "1.2.9", "Apache-2.0", "Noto Emoji, Google Inc."
    ),
    "twemoji": PictureSet(
        "twemoji",
        "@iconify-json/twemoji",
        "1.2.5",
        "CC-BY-4.0",
        "Twemoji, Twitter, Inc. and other contributors",
    ),
    "fluent-3d": PictureSet(
        "fluent-3d",
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "MIT",
        "Fluent Emoji, Microsoft Corporation; packaged by LobeHub",
        is_iconify=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """`pixels` uint8 [N, 128, 128, 3] on white, and the N captions in the same order."""

    pixels: NDArray[np.uint8]
    captions: list[Caption]


def fetch(package: str, version: str, cache: Path) -> Path:
    """The unpacked npm package, fetched by its ordinary client on first use."""
    name = f"{package.lstrip('@').replace('/', '-')}-{version}"
    folder = cache / "packages" / name
    if not (folder / "package.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", f"{package}@{version}"]
        subprocess.run(command, cwd=folder.parent, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(folder.parent / f"{name}.tgz") as archive:
            for member in archive.getmembers():
                member.name = member.name.partition("/")[2]
                if member.name:
                    archive.extract(member, folder, filter="data")
    return folder


def on_white(image: Image.Image) -> NDArray[np.uint8]:
    """RGBA of any size to uint8 [128, 128, 3] on white."""
    image = image.convert("RGBA").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(ground, image).convert("RGB"))


def read_svgs(folder: Path) -> dict[str, str]:
    """Bare code point to SVG text of an iconify package."""
    icons = json.loads((folder / "icons.json").read_text("utf-8"))
    svgs: dict[str, str] = {}
    for code, slug in json.loads((folder / "chars.json").read_text("utf-8")).items():
        icon = icons["icons"].get(icons.get("aliases", {}).get(slug, {}).get("parent", slug))
        if icon is not None:
            width = icon.get("width", icons.get("width", 16))
            height = icon.get("height", icons.get("height", 16))
            svgs[bare_code(code)] = (
                f'<svg xmlns="http://www.w3.org/2000/svg" '
                f'xmlns:xlink="http://www.w3.org/1999/xlink" '
                f'viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
            )
    return svgs


def draw_transparent(svg: str) -> Image.Image:
    """SVG text to RGBA of 128 px."""
    import resvg_py

    png = resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE)
    image = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def draw_svg(svg: str) -> NDArray[np.uint8]:
    """SVG text to uint8 [128, 128, 3] on white."""
    return on_white(draw_transparent(svg))


def _iterate(
    source: PictureSet, folder: Path, wanted: set[str]
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    if source.is_iconify:
        for code, svg in sorted(read_svgs(folder).items()):
            if code in wanted:
                yield code, draw_svg(svg)
        return
    for path in sorted((folder / "assets").glob("*.webp")):
        code = bare_code(path.stem)
        if code in wanted:
            yield code, on_white(Image.open(path))


def load(slug: str, cache: Path = CACHE) -> Drawn:
    """The drawn set with captions; fetched and drawn on first use, then read from `cache`."""
    captions = read_captions(fetch(*EMOJIBASE, cache))
    pixels_path, codes_path = cache / f"{slug}-{SIZE}.npy", cache / f"{slug}-{SIZE}.json"
    if not codes_path.exists():
        source = SETS[slug]
        folder = fetch(source.package, source.version, cache)
        drawn = dict(_iterate(source, folder, set(captions)))
        np.save(pixels_path, np.stack(list(drawn.values())))
        codes_path.write_text(json.dumps(list(drawn)), "utf-8")
    codes = json.loads(codes_path.read_text("utf-8"))
    return Drawn(np.load(pixels_path, mmap_mode="r"), [captions[code] for code in codes])


@dataclass(frozen=True, slots=True)
class Transparent:
    """`pixels` uint8 [N, 128, 128, 4] with straight alpha, and the N bare code points."""

    pixels: NDArray[np.uint8]
    codes: list[str]


def load_transparent(slug: str, cache: Path = CACHE) -> Transparent:
    """The pictures of `load` before they are laid on white; iconify sets only."""
    load(slug, cache)
    codes = json.loads((cache / f"{slug}-{SIZE}.json").read_text("utf-8"))
    path = cache / f"{slug}-{SIZE}-rgba.npy"
    if not path.exists():
        source = SETS[slug]
        svgs = read_svgs(fetch(source.package, source.version, cache))
        np.save(path, np.stack([np.asarray(draw_transparent(svgs[code])) for code in codes]))
    return Transparent(np.load(path, mmap_mode="r"), codes)


def main() -> None:
    """Fetches and draws every set that the cache lacks, and prints their sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE)
    cache = parser.parse_args().cache
    for slug in SETS:
        drawn = load(slug, cache)
        print(f"{slug}: {len(drawn.captions)} pictures")


if __name__ == "__main__":
    main()
