from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"
    verbose_name = "Models and adapters"

    def ready(self) -> None:
        from adapters import examples, publishing
        from moderation import reportable

        publishing.connect()
        reportable.register("adapters", examples.reportable_of)
