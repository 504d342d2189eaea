from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = "Generation"

    def ready(self) -> None:
        from django.core import checks

        from generation import adapter_examples, evidence, files, hardware, metrics, receivers
        from moderation import reportable

        receivers.connect()
        files.connect()
        adapter_examples.connect()
        metrics.register()
        checks.register(hardware.check_names)
        reportable.register("generation", evidence.of_released)
