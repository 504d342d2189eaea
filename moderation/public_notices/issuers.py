"""In whose name a public notice is written."""

from dataclasses import dataclass

from django.conf import settings

from moderation.models import Decision, ReviewCase


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who decided, by name. `house` runs the system and hears appeals."""

    name: str
    house: str
    address: str = ""
    logo_url: str = ""


def issuer_of(thing: Decision | ReviewCase) -> Issuer:
    """Who issues the notices of a decision or a case."""
    return Issuer(name=settings.PROOFSHEET_PROVIDER, house=settings.PROOFSHEET_PROVIDER)
