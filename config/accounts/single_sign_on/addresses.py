"""The email address that a provider tells, as the house keeps it."""

from __future__ import annotations

from allauth.account.internal.emailkit import valid_email_or_none
from allauth.account.models import EmailAddress

from config.accounts.single_sign_on.said_by_provider import Said


def clean(told: str) -> str:
    """In lower case; "" for what is no address."""
    return (valid_email_or_none(told) or "").lower()


def of(said: Said) -> list[EmailAddress]:
    """The one address, verified or not as the file weighs the provider's word."""
    if not said.email:
        return []
    return [EmailAddress(email=said.email, verified=said.is_email_verified, primary=True)]
