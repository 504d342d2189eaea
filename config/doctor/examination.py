"""All checks, one after the other; what one of them finds keeps no other from being asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError

from config.core.errors import ProofsheetError
from config.doctor import database_checks, server_checks, work_checks
from config.doctor.symptoms import Check, Symptom

DATABASE = "database"
WITHOUT_DATABASE: dict[str, Check] = {
    "settings": server_checks.fit,
    "static files": server_checks.has_static_files,
    "broker": server_checks.broker,
    "cache": server_checks.cache,
    "storage": server_checks.storage,
    "disk": server_checks.disk_room,
    "mail": server_checks.mails,
}
WITH_DATABASE: dict[str, Check] = {
    "migrations": database_checks.has_the_tables,
    "writes": database_checks.takes_writes,
    "time zone": database_checks.keeps_utc,
    "clock": database_checks.agrees_on_the_time,
    "role": database_checks.keeps_the_log,
    "keys": work_checks.keys,
    "log": work_checks.log,
    "workers": work_checks.workers,
    "beat": work_checks.beat,
}


@dataclass(frozen=True, slots=True)
class Examined:
    """`was_asked` is false where the database is away and the check needs it."""

    name: str
    symptoms: tuple[Symptom, ...]
    was_asked: bool = True

    @property
    def is_well(self) -> bool:
        """Nothing in it that somebody has to mend."""
        return all(symptom.is_harmless for symptom in self.symptoms)


def examine() -> Iterator[Examined]:
    """Every check's answer, the database's first."""
    database = Examined(DATABASE, tuple(database_checks.answers()))
    yield database
    for name, check in WITHOUT_DATABASE.items():
        yield Examined(name, _found(check))
    for name, check in WITH_DATABASE.items():
        yield Examined(name, _found(check)) if database.is_well else Examined(name, (), False)


def _found(check: Check) -> tuple[Symptom, ...]:
    """A check that cannot be made because tables are missing says so."""
    try:
        return tuple(check())
    except (DatabaseError, InterfaceError) as error:
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        return (Symptom(f"The database could not be asked: {told}.", "Mend what is told above."),)
    except ProofsheetError as error:
        return (Symptom(error.message, error.advice),)
