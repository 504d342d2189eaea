"""Checks of the database: whether it answers, takes writes, has this release's tables, and keeps
the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from config.core.clock import SKEW_TOLD_S
from config.doctor.symptoms import Symptom
from config.launch.child_processes import CannotStart
from config.launch.connectivity import require_database
from config.runtime import applied_migrations


def answers() -> Iterator[Symptom]:
    """The first of all: where it does not, nothing else can be asked of it."""
    try:
        require_database(settings.DATABASE_URL)
    except CannotStart as error:
        yield Symptom(str(error), "Start it, or mend DATABASE_URL.")


def takes_writes() -> Iterator[Symptom]:
    """A replica, or one that somebody made read-only."""
    if _asked("SELECT pg_is_in_recovery()") is True:
        yield Symptom(
            "DATABASE_URL names a replica, which takes no writes.", "Name the primary instead."
        )
    elif _asked("SHOW transaction_read_only") == "on":
        yield Symptom(
            "The database is read-only, so nothing can be accepted, drawn or decided.",
            "ALTER DATABASE or ALTER ROLE … RESET default_transaction_read_only, and see why it "
            "was set: a full disk is a usual reason.",
        )


def keeps_utc() -> Iterator[Symptom]:
    """The house asks for UTC on each connection; a pooler may lose that."""
    now = str(_asked("SELECT current_setting('TimeZone')"))
    own = str(_asked("SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'"))
    mend = "ALTER DATABASE … SET timezone TO 'UTC', and connect anew."
    if now.upper() not in {"UTC", "ETC/UTC"}:
        yield Symptom(
            f"The house's connections are in the time zone {now}, although they ask for UTC: "
            "a pooler in between forgets it.",
            mend,
        )
    elif own.upper() not in {"UTC", "ETC/UTC", "GMT"}:
        yield Symptom(
            f"The database's own time zone is {own}: the house is not touched by it, but days in "
            "SQL of yours are not those of the house.",
            mend,
            is_harmless=True,
        )


def has_the_tables() -> Iterator[Symptom]:
    """Of this release, neither fewer nor more."""
    if lacking := applied_migrations.lacking():
        yield Symptom(
            f"The database lacks {len(lacking)} migrations of this release, {lacking[0]} first.",
            "Run `manage.py prepare_house`, once a release and before its processes start.",
        )
    if newer := applied_migrations.of_another_release():
        yield Symptom(
            f"The database has had {newer[-1]}, which this release does not know: it belongs to a "
            "newer one.",
            "Install that release here, or restore the backup that was made before it.",
        )


def keeps_the_log() -> Iterator[Symptom]:
    """Whether the application's role could rewrite what is for ever, were it not for triggers."""
    asked = "SELECT to_regclass('provenance_logentry') IS NOT NULL AND has_table_privilege({})"
    if _asked(asked.format("current_user, to_regclass('provenance_logentry'), 'UPDATE'")) is True:
        yield Symptom(
            "The role that the house works as may change tables of the log; only triggers hold "
            "them then.",
            "Give it a role that owns no table: README, DATABASE_OWNER_URL.",
            is_harmless=True,
        )


def agrees_on_the_time() -> Iterator[Symptom]:
    """This host's clock and the database's."""
    told = _asked("SELECT clock_timestamp()")
    assert isinstance(told, datetime)
    skew_s = (datetime.now(UTC) - told).total_seconds()
    if abs(skew_s) > SKEW_TOLD_S:
        yield Symptom(
            f"This host's clock is {skew_s:+.1f} s off the database's.",
            "Set both by NTP. Leases go by the database's, but sessions, certificates and second "
            "factors by this one.",
        )


def _asked(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (told,) = cursor.fetchone()
    return told
