"""Several pictures in one, two a row. Pure."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from provenance.pictures import decoder as reading

TILE = 512
COLUMNS = 2


def of(pictures: Sequence[bytes]) -> bytes:
    """PNG files in reading order on one PNG; a picture larger than a tile is scaled to fit."""
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (TILE * min(len(pictures), COLUMNS), TILE * rows))
    for place, data in enumerate(pictures):
        tile = Image.fromarray(reading.read(data).pixels)
        tile.thumbnail((TILE, TILE))
        row, column = divmod(place, COLUMNS)
        sheet.paste(tile, (TILE * column, TILE * row))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
