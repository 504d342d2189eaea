"""How much the database grows by each picture, table by table, as it lies on the disk."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from generation.models import GeneratedImage

_SIZES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class TableGrowth:
    """A table with its indexes and what it keeps beside its rows."""

    table: str
    size_bytes: int
    mb_per_1000_images: float


@dataclass(frozen=True, slots=True)
class Growth:
    """All tables, the largest first; what an empty house weighs is in them too."""

    images: int
    tables: tuple[TableGrowth, ...]

    @property
    def mb_per_1000_images(self) -> float:
        return sum(table.mb_per_1000_images for table in self.tables)


def look() -> Growth:
    """Of a house without a picture every share is 0."""
    images = GeneratedImage.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
        sizes = cursor.fetchall()
    per_1000 = 1000 / images / 1e6 if images else 0.0
    return Growth(images, tuple(TableGrowth(name, size, size * per_1000) for name, size in sizes))
