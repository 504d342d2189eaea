from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = "Generation"

    def ready(self) -> None:
        from generation import adapter_examples, evidence, metrics, receivers
        from moderation import reportable

        receivers.connect()
        adapter_examples.connect()
        metrics.register()
        reportable.register("generation", evidence.of_released)
