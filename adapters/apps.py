from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    """Base models, adapters and their catalogue."""

    name = "adapters"
    verbose_name = "Models and adapters"

    def ready(self) -> None:
        """Listen to decisions, and tell what of the catalogue can be reported."""
        from adapters.publishing import examples, review_request  # models may be imported now
        from adapters.uploads import check_results  # likewise
        from config.core.notifications import feed  # likewise
        from moderation.subjects import reportable_pictures  # likewise

        feed.register("adapters", check_results.NEWS)
        review_request.connect()
        reportable_pictures.register("adapters", examples.reportable_of)
