from django.apps import AppConfig

from config import celery  # noqa: F401 - the application that the rooms' tasks belong to


class HouseConfig(AppConfig):
    """The house itself: settings, accounts and their keys, shared static files."""

    name = "config"
    label = "house"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config import checks

        checks.require()
        from config import receivers
        from config.accounts.second_factor import requirement

        receivers.connect()
        requirement.connect()
