"""Checks of the settings, of broker, cache, storage and mail, and of what lies on this host."""

from __future__ import annotations

from collections.abc import Iterator
from smtplib import SMTPException

from django.conf import settings
from django.core import checks, mail
from django.core.files.base import ContentFile

from config.core.disk_full import StorageFull
from config.core.storage import StorageAway, private_storage
from config.doctor.symptoms import Symptom
from config.launch.child_processes import CannotStart
from config.launch.connectivity import require_broker
from config.runtime import start_check
from generation.requests import storage_room

PROBE = "doctor/probe"


def fit() -> Iterator[Symptom]:
    """All that Django's checks and the house's own find wrong with the settings."""
    is_production = not settings.IS_LOCAL
    for found in checks.run_checks(include_deployment_checks=is_production):
        if found.level >= checks.ERROR:
            yield Symptom(str(found.msg), str(found.hint or "Mend the setting that it names."))


def has_static_files() -> Iterator[Symptom]:
    """Every page needs them."""
    if not start_check.has_static_files():
        yield Symptom(
            f"There are no static files in {settings.STATIC_ROOT}, so every page is an error.",
            "Run `manage.py collectstatic` on this host and start its web processes anew.",
        )


def broker() -> Iterator[Symptom]:
    """Where tickets wait."""
    yield from _server("BROKER_URL", settings.BROKER_URL)


def cache() -> Iterator[Symptom]:
    """Where progress, previews and throttles are kept."""
    yield from _server("CACHE_URL", settings.CACHE_URL)


def _server(name: str, url: str) -> Iterator[Symptom]:
    try:
        require_broker(name, url)
    except CannotStart as error:
        yield Symptom(str(error), f"Start it, or mend {name}.")


def storage() -> Iterator[Symptom]:
    """Writes a file, reads it and deletes it."""
    kept_in, data = private_storage(), b"the doctor was here"
    try:
        name = kept_in.save(PROBE, ContentFile(data))
        with kept_in.open(name) as file:
            read = file.read()
        kept_in.delete(name)
    except (StorageAway, StorageFull) as error:
        yield Symptom(error.message, "See PRIVATE_STORAGE_OPTIONS, and make room where it is full.")
        return
    except OSError as error:
        yield Symptom(
            f"Files cannot be written where the house keeps them: {error.strerror}.",
            "Mend the folder's owner and rights, or MEDIA_ROOT.",
        )
        return
    if read != data:
        yield Symptom(
            "The storage gave back something else than was written to it.",
            "Look for a cache between the house and its storage.",
        )


def disk_room() -> Iterator[Symptom]:
    """Where pictures are kept; a storage behind a network says only when it is full."""
    free_mib = storage_room.free_bytes() / 2**20
    least = settings.PROOFSHEET_STORAGE_FREE_MIN_MB
    if free_mib < least:
        yield Symptom(
            f"{free_mib:,.0f} MiB are free where pictures are kept, and below {least} none is "
            "taken on.",
            "Make room: nothing that was accepted is lost meanwhile.",
        )
    elif free_mib < 10 * least:
        yield Symptom(
            f"{free_mib:,.0f} MiB are left where pictures are kept.",
            "Make room soon; `manage.py growth` tells how much a picture takes.",
            is_harmless=True,
        )


def mails() -> Iterator[Symptom]:
    """Whether the mail server lets the house in; nothing is sent."""
    sender = mail.get_connection()
    try:
        sender.open()
        sender.close()
    except (OSError, SMTPException) as error:
        yield Symptom(
            f"The mail server at {settings.EMAIL_HOST}:{settings.EMAIL_PORT} cannot be used: "
            f"{error}.",
            "Mend EMAIL_HOST and what belongs to it; mails that were not sent wait meanwhile.",
        )
