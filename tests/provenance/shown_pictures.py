"""Picture files of every kind that browsers show in a way of their own, made from scratch."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from tests.provenance.files import chunk, saved

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
D65 = (0.3127, 0.3290)
REC709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
EXCHANGED = ((0.15, 0.06), (0.30, 0.60), (0.64, 0.33))


def drawing(width: int = 96, height: int = 64) -> Image.Image:
    """Four fields and a ramp, no two corners alike: a turn or an exchanged channel is seen."""
    image = Image.new("RGB", (width, height), (200, 40, 40))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width // 2, height // 2), fill=(30, 60, 200))
    pen.rectangle((width // 2, 0, width, height // 2), fill=(40, 180, 90))
    ramp = np.linspace(0, 255, width, dtype=np.uint8)[None].repeat(height // 4, 0)
    image.paste(Image.fromarray(ramp), (0, height - height // 4))
    return image


def profile(primaries: tuple[tuple[float, float], ...], gamma: float = 2.2) -> bytes:
    """A display profile of three primaries and a gamma (ICC.1:2001-04), adapted to D50."""
    to_d50 = np.array(
        [[1.0479, 0.0229, -0.0502], [0.0296, 0.9904, -0.0171], [-0.0092, 0.0151, 0.7517]]
    )
    points = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array([D65[0] / D65[1], 1, (1 - D65[0] - D65[1]) / D65[1]])
    columns = (to_d50 @ (points * np.linalg.solve(points, white))).T
    curve = b"curv" + struct.pack(">III", 0, 1, round(gamma * 256) << 16)[:10] + b"\0\0"
    tags = {b"desc": b"desc" + struct.pack(">II", 0, 5) + b"test\0" + b"\0" * 79}
    tags |= {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"cprt": b"text\0\0\0\0none"}
    tags |= {b"rXYZ": _xyz(columns[0]), b"gXYZ": _xyz(columns[1]), b"bXYZ": _xyz(columns[2])}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _icc(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    curve = b"curv" + struct.pack(">III", 0, 1, round(gamma * 256) << 16)[:10] + b"\0\0"
    tags = {b"desc": b"desc" + struct.pack(">II", 0, 5) + b"test\0" + b"\0" * 79}
    tags |= {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"cprt": b"text\0\0\0\0none", b"kTRC": curve}
    return _icc(b"GRAY", tags)


def _xyz(values: object) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(v) * 65536) for v in values))  # type: ignore[attr-defined]  # any three numbers


def _icc(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body, place = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", place + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    header = struct.pack(">II4s4s4s", place + len(body), 0, b"\2\x10\0\0", b"mntr", space)
    header = header[:4] + b"\0\0\0\0" + b"\2\x10\0\0" + b"mntr" + space + b"XYZ " + b"\0" * 12
    header += b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


def inserted(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks after its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    head = b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2)
    return jpeg[:2] + head + body + jpeg[2:]


def tiff(kind: int, count: int, value: bytes, *, next_at: int = 0) -> bytes:
    """EXIF with one entry, an orientation of any type."""
    entry = struct.pack(">HHI", 0x0112, kind, count) + value
    return b"MM\0*\0\0\0\x08\0\x01" + entry + struct.pack(">I", next_at)


def short(value: int) -> bytes:
    return tiff(3, 1, struct.pack(">HH", value, 0))


def raw_png(depth: int, colour: int, rows: list[bytes], width: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")
    return SIGNATURE + b"".join(parts)


def damaged_text(png: bytes) -> bytes:
    """With an ancillary chunk whose checksum is wrong."""
    text = bytearray(chunk(b"tEXt", b"Comment\0hello"))
    text[-1] ^= 255
    return inserted(png, bytes(text))


def cases() -> dict[str, bytes]:
    """Name and bytes; every one of them is read, and shown by Chromium."""
    png, jpeg = saved(drawing(), "PNG"), saved(drawing(), "JPEG", quality=92)
    return dict(_turned(png, jpeg)) | dict(_coloured()) | dict(_deep()) | dict(_odd(png, jpeg))


def _turned(png: bytes, jpeg: bytes) -> Iterator[tuple[str, bytes]]:
    for value in range(10):
        yield f"orientation_{value}.jpg", with_segment(jpeg, 0xE1, b"Exif\0\0" + short(value))
    exif = b"Exif\0\0" + short(6)
    yield "orientation.webp", saved(drawing(), "WEBP", lossless=True, exif=exif)
    yield "orientation.avif", saved(drawing(), "AVIF", quality=95, exif=exif)
    yield "orientation.png", inserted(png, chunk(b"eXIf", short(6)))
    yield "xmp.png", inserted(png, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    yield "xmp.jpg", with_segment(jpeg, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
    for name, said in {
        "two_values": tiff(3, 2, b"\0\x06\0\x06"),
        "text": tiff(2, 2, b"6\0\0\0"),
        "rational": tiff(5, 1, b"\0\0\0\x1a") + b"\0\0\0\x06\0\0\0\x01",
        "long": tiff(4, 1, b"\0\0\0\x06"),
        "loop": tiff(3, 1, b"\0\x06\0\0", next_at=8),
        "garbage": b"garbage, not TIFF",
    }.items():
        yield f"exif_{name}.jpg", with_segment(jpeg, 0xE1, b"Exif\0\0" + said)
    for name, body in {"garbage": b"this is no TIFF header", "short": b"MM", "none": b""}.items():
        yield f"exif_{name}.png", inserted(png, chunk(b"eXIf", body))


def _coloured() -> Iterator[tuple[str, bytes]]:
    image = drawing()
    wanted = {"p3": DISPLAY_P3, "adobe": ADOBE_RGB, "exchanged": EXCHANGED}
    for name, primaries in wanted.items():
        icc = profile(primaries)
        yield f"{name}.png", saved(image, "PNG", icc_profile=icc)
        yield f"{name}.jpg", saved(image, "JPEG", quality=95, icc_profile=icc)
        yield f"{name}.webp", saved(image, "WEBP", lossless=True, icc_profile=icc)
        yield f"{name}.avif", saved(image, "AVIF", quality=95, icc_profile=icc)
        palette = image.quantize(16)
        yield f"{name}_palette.png", saved(palette, "PNG", icc_profile=icc)
        clear = image.convert("RGBA")
        clear.putalpha(Image.linear_gradient("L").resize(image.size))
        yield f"{name}_clear.png", saved(clear, "PNG", icc_profile=icc)
    grey = image.convert("L")
    yield "grey_profile.png", saved(grey, "PNG", icc_profile=grey_profile(1.0))
    yield "grey_with_colours.png", saved(grey, "PNG", icc_profile=profile(DISPLAY_P3))
    yield "colours_with_grey.png", saved(image, "PNG", icc_profile=grey_profile(1.0))
    yield "broken_profile.png", saved(image, "PNG", icc_profile=b"no profile" * 30)
    yield "broken_profile.jpg", saved(image, "JPEG", quality=95, icc_profile=b"no profile" * 30)
    gamma, points = chunk(b"gAMA", struct.pack(">I", 100_000)), _chromaticities(DISPLAY_P3)
    png = saved(image, "PNG")
    yield "gamma.png", inserted(png, gamma)
    yield "gamma_and_points.png", inserted(png, gamma, points)
    yield "points.png", inserted(png, points)
    avif = saved(image, "AVIF", quality=95)
    codes = avif.index(b"colrnclx") + 8
    for pair in ((12, 13), (9, 13), (9, 1), (1, 8), (1, 13), (2, 2)):
        named = "{}_{}".format(*pair)
        if pair != (9, 1):  # which Chromium shows in one way in a PNG and in another in an AVIF
            yield f"codes_{named}.png", inserted(png, chunk(b"cICP", bytes([*pair, 0, 1])))
        told = avif[:codes] + struct.pack(">HH", *pair) + avif[codes + 4 :]
        yield f"codes_{named}.avif", told
    both = (
        chunk(b"cICP", bytes([12, 13, 0, 1])),
        chunk(b"iCCP", b"x\0\0" + zlib.compress(profile(EXCHANGED))),
    )
    yield "codes_and_profile.png", inserted(png, *both)
    srgb = chunk(b"sRGB", b"\0")
    yield "srgb_and_gamma.png", inserted(png, srgb, gamma, points)
    icc = chunk(b"iCCP", b"x\0\0" + zlib.compress(profile(EXCHANGED)))
    yield "srgb_and_profile.png", inserted(png, srgb, icc)


def _chromaticities(primaries: tuple[tuple[float, float], ...]) -> bytes:
    told = [round(100_000 * each) for point in (D65, *primaries) for each in point]
    return chunk(b"cHRM", struct.pack(">8I", *told))


def _deep() -> Iterator[tuple[str, bytes]]:
    ramp = [round(65535 * place / 95) for place in range(96)]
    grey = [struct.pack(">96H", *ramp)] * 64
    yield "grey_16.png", raw_png(16, 0, grey, 96)
    halves = [struct.pack(">96H", *[1000] * 48, *[40000] * 48)] * 64
    yield "grey_16_key.png", raw_png(16, 0, halves, 96, chunk(b"tRNS", b"\x03\xe8"))
    near = [struct.pack(">96H", *[1001] * 48, *[1000] * 48)] * 64
    yield "grey_16_near_key.png", raw_png(16, 0, near, 96, chunk(b"tRNS", b"\x03\xe8"))
    colours = [struct.pack(">288H", *[1000, 30000, 60000] * 48, *[1001, 30000, 60000] * 48)] * 64
    key = struct.pack(">3H", 1000, 30000, 60000)
    yield "colour_16.png", raw_png(16, 2, colours, 96)
    yield "colour_16_key.png", raw_png(16, 2, colours, 96, chunk(b"tRNS", key))
    clear = [struct.pack(">384H", *[60000, 20000, 9000, 30000] * 96)] * 64
    yield "colour_16_clear.png", raw_png(16, 6, clear, 96)
    two = [struct.pack(">192H", *[9000, 50000] * 96)] * 64
    yield "grey_16_clear.png", raw_png(16, 4, two, 96)
    yield "colour_key.png", saved(drawing(), "PNG", transparency=(200, 40, 40))
    palette = drawing().quantize(8)
    yield "palette_clear.png", saved(palette, "PNG", transparency=bytes([0] + [255] * 7))
    yield "one_bit.png", saved(drawing().convert("1"), "PNG")
    four_bits = [bytes([0x0F, 0x3C, 0xA5, 0xF0] * 12)] * 64
    yield "four_bits.png", raw_png(4, 0, four_bits, 96)
    yield "clear.webp", saved(clear_drawing(), "WEBP", lossless=True)
    yield "clear_lossy.webp", saved(clear_drawing(), "WEBP", quality=95)


def clear_drawing() -> Image.Image:
    image = drawing().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def _odd(png: bytes, jpeg: bytes) -> Iterator[tuple[str, bytes]]:
    workflow = b'{"nodes": []} ' * 200_000
    packed = zlib.compress(workflow)
    yield "workflow_ztxt.png", inserted(png, chunk(b"zTXt", b"workflow\0\0" + packed))
    yield "workflow_text.png", inserted(png, chunk(b"tEXt", b"workflow\0" + workflow))
    yield "workflow_itxt.png", inserted(png, chunk(b"iTXt", b"workflow\0\1\0\0\0" + packed))
    bomb = zlib.compress(bytes(50_000_000), 9)
    yield "profile_bomb.png", inserted(png, chunk(b"iCCP", b"x\0\0" + bomb))
    yield "text_bomb.png", inserted(png, chunk(b"zTXt", b"x\0\0" + bomb))
    yield "ancillary_checksum.png", damaged_text(png)
    yield "without_end.png", png[:-12]
    yield "trailing.png", png + bytes(100)
    yield "cut_by_two.jpg", jpeg[:-2]
    yield "padded.jpg", jpeg + bytes(5000)
    yield "grey.jpg", saved(drawing().convert("L"), "JPEG", quality=95)
    yield "cmyk.jpg", saved(drawing().convert("CMYK"), "JPEG", quality=95)
    yield "progressive.jpg", saved(drawing(), "JPEG", quality=95, progressive=True)
    yield "fine.jpg", saved(drawing(), "JPEG", quality=95, subsampling=0)
    first, second = BytesIO(), drawing(48, 32)
    drawing().save(first, "MPO", save_all=True, append_images=[second], quality=95)
    yield "two_pictures.jpg", first.getvalue()
    yield "motion.jpg", jpeg + b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\xff\xda\xff\xd9" * 99
    yield "lossy.webp", saved(drawing(), "WEBP", quality=95)
    yield "lossy.avif", saved(drawing(), "AVIF", quality=95)
    yield "fine.avif", saved(drawing(), "AVIF", quality=95, subsampling="4:4:4")
    yield "panorama.png", saved(drawing(6000, 40), "PNG")
