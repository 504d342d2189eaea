from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = "Generation"

    def ready(self) -> None:
        from django.core import checks

        from generation import receivers
        from generation.capacity import line_metrics
        from generation.hardware import hardware_queues
        from generation.requests import adapter_examples, evidence, stored_files
        from moderation.subjects import reportable_pictures

        receivers.connect()
        stored_files.connect()
        adapter_examples.connect()
        line_metrics.register()
        checks.register(hardware_queues.check_names)
        reportable_pictures.register("generation", evidence.of_released)
