from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.core import retention
from config.core.watching import house_gauges
from moderation.classifiers import chosen
from moderation.policy.rulebook import policy_document


class ModerationConfig(AppConfig):
    """Puts the policies of the database in force, and the classifiers that the settings name."""

    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from moderation.appeals import appeal_metrics  # the models, which are loaded by now
        from moderation.exports import project_exports  # likewise
        from moderation.notifications import news  # likewise
        from moderation.policy import drafting  # likewise
        from moderation.reports import reporting  # likewise

        news.connect()
        house_gauges.register(appeal_metrics.families)
        retention.register("who sent a report", reporting.forget, kept="a year", due=reporting.due)
        retention.register(
            "files that a project took out",
            project_exports.clear_away,
            kept=f"{project_exports.KEPT.days} days",
            due=project_exports.due,
        )
        policy_document.use_source(drafting.PolicyRepository())
        for kind in chosen.KINDS:
            chosen.use(kind, self._model(kind))

    @staticmethod
    def _model(kind: chosen.Kind) -> chosen.ChosenModel | None:
        """The classifier that the settings name; a setting that cannot be used stops the start."""
        said = settings.PROOFSHEET_CLASSIFIERS.get(kind)
        if not said:
            return None
        categories = policy_document.load(policy_document.ACTIVE["general"]).categories
        try:
            return chosen.parse(said, categories=categories)
        except chosen.ClassifierInvalid as error:
            raise ImproperlyConfigured(f"{kind.upper()}_CLASSIFIER: {error}") from error
