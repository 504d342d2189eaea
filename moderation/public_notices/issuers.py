"""In whose name a public notice is written, and under whose sign its page stands."""

from dataclasses import dataclass
from pathlib import PurePath

from django.conf import settings

from config.core.projects.models import Project
from config.core.storage import private_storage
from moderation.models import Decision, ReviewCase

LOGO_MAX_BYTES = 512 * 1024
LOGO_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Issuer:
    """`brand` is the name that the reader knows, the product's where it gave one; `name` is who
    issues the notice, and `house` who screens pictures and hears appeals. `logo` is a stored file's
    name, empty where there is none that can be shown.
    """

    brand: str
    name: str
    house: str
    address: str = ""
    logo: str = ""


def issuer_of(thing: Decision | ReviewCase) -> Issuer:
    """Of a personal project's notices, and of those of before there were projects, the house."""
    house, project = settings.PROOFSHEET_PROVIDER, thing.project
    if project is None or project.is_personal:
        return Issuer(house, house, house)
    is_issued_by_it = project.statement_issuer == Project.Issuer.PROJECT
    brand = project.notice_name or (project.name if is_issued_by_it else house)
    logo = project.notice_logo if _suffix(project.notice_logo) in LOGO_TYPES else ""
    address = project.notice_address
    if is_issued_by_it and not address and project.organisation:
        address = project.organisation.contact
    return Issuer(brand, brand if is_issued_by_it else house, house, address, logo)


def logo_of(issuer: Issuer) -> tuple[bytes, str] | None:
    """The logo and its type; None where there is none, or none that can be read."""
    if not issuer.logo:
        return None
    try:
        with private_storage().open(issuer.logo, "rb") as file:
            data = file.read(LOGO_MAX_BYTES + 1)
    except OSError:
        return None
    kind = LOGO_TYPES[_suffix(issuer.logo)]
    return (data, kind) if len(data) <= LOGO_MAX_BYTES else None


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower()
