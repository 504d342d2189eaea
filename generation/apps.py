"""The room as Django knows it."""

from django.apps import AppConfig


class GenerationConfig(AppConfig):
    """Connects the room to what the others tell."""

    name = "generation"
    verbose_name = "Generation"

    def ready(self) -> None:
        from generation import receivers  # models: they load once every application is known

        receivers.connect()
