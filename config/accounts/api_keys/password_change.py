"""Keys end with the password that they were made under."""

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from config.accounts.api_keys import key_issuing


class KeysEndWithThePassword:
    """A validator for its second half: Django calls `password_changed` whenever a changed password
    is saved, by whichever page, command or code, and not when an old hash is only made stronger.
    """

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Any password will do here."""

    def password_changed(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if user is not None and user.pk is not None:
            key_issuing.revoke_all(user.pk, at=timezone.now())

    def get_help_text(self) -> str:
        return "Your API keys end when you change it."
