"""Language, time and what processes print."""

from config.env import env_bool, env_choice, env_int, env_str

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
# JSON for those who collect lines; then each answer is one too.
LOG_FORMAT = env_choice("LOG_FORMAT", ("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.runtime.log_lines.PromptFreeFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "json": {"()": "config.runtime.log_lines.JsonFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "counter": {"class": "config.runtime.log_lines.LineCounter"},
    },
    "root": {"handlers": ["console", "counter"], "level": env_str("LOG_LEVEL", "INFO")},
    "loggers": {
        "config.web.watched_requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        # Beat's tickets arrive every second: two lines for each would bury everything else.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # transformers imports torchao, which warns each time of kernels for other hardware.
        "torch.utils._pytree": {"level": "ERROR"},
        "torchao": {"level": "ERROR"},
    },
}
METRICS_TOKEN = env_str("METRICS_TOKEN", "")
# Where a process is watched: config/watching/own_port.py says which of 75 ports is whose.
PROOFSHEET_METRICS_PORT = env_int("METRICS_PORT", 0, most=65461)
# Neither is on by itself, and neither is told a prompt: config/watching.
# Whether a proxy of the house begins traces: one that passes clients' own traceparent on must not.
PROOFSHEET_TRACES_FROM_PROXY = env_bool("TRACES_FROM_PROXY", False)
PROOFSHEET_TRACES_TO = env_str("OTEL_EXPORTER_OTLP_ENDPOINT", "")
PROOFSHEET_SENTRY_DSN = env_str("SENTRY_DSN", "")
PROOFSHEET_METRICS_HOST = env_str("METRICS_HOST", "127.0.0.1")
