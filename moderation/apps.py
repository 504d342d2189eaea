from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from moderation import policy
from moderation.classifiers import chosen


class ModerationConfig(AppConfig):
    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from moderation import policy_versions

        policy.use_shelf(policy_versions.Shelf())
        for kind in chosen.KINDS:
            chosen.use(kind, self._model(kind))

    @staticmethod
    def _model(kind: chosen.Kind) -> chosen.Model | None:
        """The classifier that the settings name; a setting that cannot be used stops the start."""
        said = settings.PROOFSHEET_CLASSIFIERS.get(kind)
        if not said:
            return None
        categories = policy.load(policy.ACTIVE["general"]).categories
        try:
            return chosen.parse(said, categories=categories)
        except chosen.ClassifierInvalid as error:
            raise ImproperlyConfigured(f"{kind.upper()}_CLASSIFIER: {error}") from error
