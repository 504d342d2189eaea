from django.apps import AppConfig


class HouseConfig(AppConfig):
    """The house itself: settings, accounts and their keys, shared static files."""

    name = "config"
    label = "house"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config import checks

        checks.require()
        from config import (
            key_schema,  # noqa: F401 - registers itself
            receivers,
            second_factor,
            warmth,  # noqa: F401 - connects its signal
        )

        receivers.connect()
        second_factor.connect()
