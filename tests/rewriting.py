"""Evidence that somebody altered behind the house's back, as only the owner of the tables could."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Model

from provenance.database import privileges

ROLE = "proofsheet_app"  # as whom a house works


@contextmanager
def rewritten(model: type[Model]) -> Iterator[None]:
    """The model's rows can be altered within the block."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (who,) = cursor.fetchone()
        cursor.execute("RESET ROLE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {privileges.HELD}")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {privileges.HELD}")
        if who == ROLE:
            cursor.execute(f"SET ROLE {ROLE}")
