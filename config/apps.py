from django.apps import AppConfig

from config.celery import app


class HouseConfig(AppConfig):
    """The house itself: settings, accounts and their keys, shared static files."""

    name = "config"
    label = "house"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Check the host, know every task by its name, and listen to the rooms' news."""
        from config import checks  # models may be imported from here on

        checks.require()
        from config import receivers  # likewise
        from config.accounts.second_factor import requirement  # likewise
        from config.runtime import preload  # likewise
        from config.watching import celery_processes  # likewise

        receivers.connect()
        requirement.connect()
        celery_processes.connect()
        preload.connect()
        app.autodiscover_tasks(force=True)  # who sends by name imports no tasks
