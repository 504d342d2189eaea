from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"
    verbose_name = "Models and adapters"

    def ready(self) -> None:
        from adapters.publishing import examples, review_request
        from moderation.subjects import reportable_pictures

        review_request.connect()
        reportable_pictures.register("adapters", examples.reportable_of)
