from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"
    verbose_name = "Models and adapters"

    def ready(self) -> None:
        from adapters import publishing

        publishing.connect()
