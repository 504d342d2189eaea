"""Celery: a message is a ticket, the work is a row (ADR 3)."""

from typing import Any

from celery.schedules import crontab

from config.settings.data_servers import BROKER_URL

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True  # state lives in the database; results would only leak channels
CELERY_TASK_ACKS_LATE = True  # a worker that dies gives its ticket back
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # also when only its child process died
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # a waiting ticket must not hide behind a long one
CELERY_WORKER_DISABLE_PREFETCH = BROKER_URL.startswith("redis")  # not even one; Redis knows how
# A reconnecting worker keeps what it renders: the lease in the database says whose it is.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that is away for hours must not end workers
CELERY_BROKER_CONNECTION_TIMEOUT = 2.0
# A person waits while a ticket is sent; the sweeper sends lost ones again.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
# On Redis a ticket that nobody acknowledged comes back after an hour: longer than any render, and
# the sweeper rescues sooner. The timeouts and the check end a read on a dead connection.
# (RabbitMQ: set the server's consumer_timeout above the longest render; its default is 30 minutes.)
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }
    if BROKER_URL.startswith("redis")
    else {}
)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# No time limits: under threads they do nothing. Cancel and lease end a render between two steps.
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TASK_ROUTES = {
    "generation.tasks.render": {"queue": "gpu"},
    "generation.tasks.render_audits": {"queue": "gpu"},
    # Without a priority, which Redis and RabbitMQ count in opposite directions: a ticket of an
    # audit that finds somebody waiting does nothing.
    "generation.tasks.audit_stint": {"queue": "gpu"},
    # Of its own: whatever waits for somebody else's server must not hold up the screening.
    "config.core.outbox.tasks.*": {"queue": "outbox"},
    "config.webhooks.tasks.*": {"queue": "outbox"},
}
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sequence-log": {"task": "provenance.tasks.sequence_log", "schedule": 1.0},
    "date-log": {"task": "provenance.tasks.date_log", "schedule": 60.0},
    "cosign-log": {"task": "provenance.tasks.cosign_log", "schedule": 2.0},
    "requeue-stalled": {"task": "generation.tasks.requeue_stalled", "schedule": 10.0},
    "settle-decisions": {"task": "moderation.tasks.settle_decisions", "schedule": 5.0},
    "end-suspensions": {"task": "moderation.tasks.end_suspensions", "schedule": 300.0},
    "audit-month": {
        "task": "moderation.audits.tasks.audit_month",
        "schedule": crontab(day_of_month="1-3", hour=3, minute=0),  # made once, however often asked
    },
    "audit-suites": {
        "task": "generation.tasks.render_audits",  # for most of a minute, while nobody waits
        "schedule": crontab(hour="4-7"),
        "options": {"expires": 60.0},
    },
    "audit-changes": {
        "task": "moderation.audits.tasks.audit_changes",
        "schedule": crontab(hour=4, minute=0),
    },
    "forget": {"task": "config.tasks.forget", "schedule": crontab(minute=30)},
    "requeue-audits": {"task": "generation.tasks.requeue_audits", "schedule": 10.0},
    "sweep-outbox": {"task": "config.core.outbox.tasks.sweep", "schedule": 5.0},
    "sweep-webhooks": {"task": "config.webhooks.tasks.sweep", "schedule": 10.0},
    "requeue-stalled-checks": {"task": "adapters.tasks.requeue_stalled_checks", "schedule": 60.0},
}
# A ticket of beat's is worth nothing once the next one is sent: a worker that stood still must not
# find hundreds before its prompts. Ten seconds at least, for hosts' clocks differ.
# And none waits behind prompts, nor they behind it: what the CPU does for the house has a queue.
_routed = ("generation.tasks.render_audits", "config.core.outbox.", "config.webhooks.")
for _entry in CELERY_BEAT_SCHEDULE.values():
    _every_s = _entry["schedule"] if isinstance(_entry["schedule"], float) else 3600.0
    _own_queue = {} if _entry["task"].startswith(_routed) else {"queue": "beat"}
    _entry["options"] = {"expires": max(10.0, _every_s), **_own_queue, **_entry.get("options", {})}
