"""Small files that ask for much work: what a stranger would send to keep the house busy."""

import struct
import zlib

from tests.provenance.files import chunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # fmt: skip  # noqa: E501 - Adam7 in one line


def plain_png(
    width: int, height: int, *, depth: int = 8, colour: int = 2, is_interlaced: bool = False
) -> bytes:
    """Rows that are all alike under Paeth's filter, the dearest: a thousandth of its pixels."""
    bits = _CHANNELS[colour] * depth
    packing, packed = zlib.compressobj(9), []
    passes = _PASSES if is_interlaced else ((0, 0, 1, 1),)
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        line = b"\4" + b"\1" * (-(-columns * bits // 8))
        packed += [packing.compress(line * min(64, rows - row)) for row in range(0, rows, 64)]
    packed.append(packing.flush())
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(is_interlaced))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", b"".join(packed)), chunk(b"IEND", b"")]
    if colour == 3:
        parts.insert(1, chunk(b"PLTE", bytes(range(256)) * 3))
    return SIGNATURE + b"".join(parts)


def many_scans(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG whose every scan goes over all blocks, by turns in a few bytes that skip
    them and in a bit for each."""
    size = struct.pack(">BHHB", 8, height, width, 3) + b"\1\x11\0\2\x11\0\3\x11\0"
    blocks = -(-width // 8) * -(-height // 8)
    first = _segment(0xDA, b"\3\1\0\2\0\3\0\0\0\x0d") + bytes(blocks * 3 // 8 + 1)
    parts = [
        b"\xff\xd8",
        _segment(0xDB, b"\0" + b"\1" * 64),
        _segment(0xC2, size),
        _segment(0xC4, b"\x00\1" + bytes(15) + b"\x00"),
        _segment(0xC4, b"\x10\1" + bytes(15) + b"\xe0"),
        first,
    ]
    for number in range(1, scans):
        if number % 2:
            low = number // 2 % 13
            told = bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, (low + 1) << 4 | low])
            parts.append(_segment(0xDA, told) + bytes(blocks * 3 // 8 + 1))
        else:
            told = bytes([1, number % 3 + 1, 0, 1, 63, 0x21])
            parts.append(_segment(0xDA, told) + _skipping(blocks))
    return b"".join(parts) + b"\xff\xd9"


def _segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def _skipping(blocks: int) -> bytes:
    """Runs of up to 32,767 blocks without a coefficient."""
    bits = ""
    while blocks > 0:
        run = max(16384, min(blocks, 32767))
        bits, blocks = bits + "0" + format(run - 16384, "014b"), blocks - run
    bits += "1" * (-len(bits) % 8)
    whole = bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))
    return whole.replace(b"\xff", b"\xff\0")
