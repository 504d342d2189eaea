"""What the application's database role may do: everything but change the log. Pure.

The role owns no table, so it can neither alter one nor switch a trigger off; of the log's tables it
may read and insert. So the log is append-only twice: by these privileges, and by triggers that hold
for the owner too.
"""

import re

LOG_TABLES = ("logentry", "leaf", "node", "checkpoint")
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def statements(role: str) -> list[str]:
    """The SQL that the owner of the tables runs after every change of them.

    Raises `ValueError` for a name that would need quoting.
    """
    if not _ROLE.fullmatch(role):
        raise ValueError(f"{role!r} is no plain name of a role")
    rows, places = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"
    return [
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT {places} ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {places} ON SEQUENCES TO {role}",
        *(_take_back(f"provenance_{table}", role) for table in LOG_TABLES),
    ]


def _take_back(table: str, role: str) -> str:
    """Where the table is there already: before the first migration it is not."""
    return (
        f"DO $$ BEGIN IF to_regclass('public.{table}') IS NOT NULL THEN"
        f" REVOKE ALL ON {table} FROM {role}; GRANT SELECT, INSERT ON {table} TO {role};"
        " END IF; END $$"
    )
