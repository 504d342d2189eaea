"""How much the database grows by each picture, table by table, as it lies on the disk."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from config.core.errors import ProofsheetError
from generation.models import GeneratedImage

TELLING = 1000
"""With fewer pictures, most of what the tables take is what an empty house weighs."""
_SIZES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC, 1
"""


class TooFewImages(ProofsheetError):
    """Nothing can be told of a year by a handful of pictures."""

    default_code = "too_few_images"
    default_status = 409
    default_advice = "Make some with the prompts and adapters that you expect, and ask again."


@dataclass(frozen=True, slots=True)
class TableGrowth:
    """A table with its indexes and what it keeps beside its rows."""

    table: str
    size_bytes: int
    mb_per_1000_images: float


@dataclass(frozen=True, slots=True)
class Growth:
    """All tables, the largest first."""

    images: int
    tables: tuple[TableGrowth, ...]

    @property
    def mb_per_1000_images(self) -> float:
        return sum(table.mb_per_1000_images for table in self.tables)


def look() -> Growth:
    """Raises `TooFewImages`."""
    images = GeneratedImage.objects.count()
    if images < TELLING:
        raise TooFewImages(
            message=f"The house has {images} of the {TELLING:,} pictures that it takes: what it "
            "weighed before the first one is still most of its tables."
        )
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
        sizes = cursor.fetchall()
    per_1000 = 1000 / images / 1e6
    return Growth(images, tuple(TableGrowth(name, size, size * per_1000) for name, size in sizes))
