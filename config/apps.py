from django.apps import AppConfig


class HouseConfig(AppConfig):
    """The house itself: settings, the demo accounts command, shared static files."""

    name = "config"
    label = "house"

    def ready(self) -> None:
        from config import warmth  # noqa: F401 - connects its signal
