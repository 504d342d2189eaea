"""What each process counts, told on its own port: names and units are Prometheus' (base units).

Labels have few values, all of them words of the house: no user, project, prompt or address.
"""

from __future__ import annotations

import re
from collections import defaultdict

from prometheus_client import Counter, Histogram

VALUES_MAX = 100
OTHER = "other"
_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,120}")
_seen: defaultdict[str, set[str]] = defaultdict(set)
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

HTTP_REQUESTS = Counter(
    "proofsheet_http_requests", "HTTP requests that were answered.", ("method", "route", "status")
)
HTTP_SECONDS = Histogram(
    "proofsheet_http_request_seconds", "Until the answer began.", ("route",), buckets=SECONDS[:9]
)
ADMISSIONS_REFUSED = Counter(
    "proofsheet_admissions_refused", "Submissions that were not let in.", ("code",)
)
REQUESTS_ENDED = Counter(
    "proofsheet_requests_ended", "Requests for images that ended.", ("outcome", "code")
)
REQUESTS_HANDED_BACK = Counter(
    "proofsheet_requests_handed_back", "Requests that a worker gave back into the line.", ("cause",)
)
LEASES_LOST = Counter("proofsheet_leases_lost", "Requests that another worker took over.")
QUEUE_WAIT = Histogram(
    "proofsheet_queue_wait_seconds",
    "Of requests, from queued to begun for the first time.",
    ("priority",),
    buckets=(0.5, 1, 2, 5, 10, 20, 60, 300, 900, 3600),
)
STAGES = Histogram(
    "proofsheet_stage_seconds", "Of one image, by stage of its way.", ("stage",), buckets=SECONDS
)
DEVICE_SECONDS = Counter(
    "proofsheet_device_seconds", "Of a device that published images took.", ("model",)
)
IMAGES = Counter("proofsheet_images", "Images that were published.", ("model", "verdict"))
SCREENINGS = Counter(
    "proofsheet_screenings", "Prompts and pictures that were screened.", ("stage", "verdict")
)
WEBHOOK_ATTEMPTS = Counter(
    "proofsheet_webhook_attempts", "Deliveries that were sent to endpoints.", ("outcome",)
)
TASKS = Counter("proofsheet_tasks", "Tickets that were worked on.", ("task", "state"))
TASK_SECONDS = Histogram(
    "proofsheet_task_seconds", "Of work on a ticket.", ("task",), buckets=SECONDS
)
TICKETS_SENT = Counter("proofsheet_tickets_sent", "Tickets that the broker took.", ("task",))
LOG_LINES = Counter("proofsheet_log_lines", "Lines in the log of the process.", ("level",))


def bounded(label: str, value: str) -> str:
    """`value` where it is a word and among the first `VALUES_MAX` of that label, else "other"."""
    seen = _seen[label]
    if value in seen:
        return value
    if len(seen) >= VALUES_MAX or not _WORD.fullmatch(value):
        return OTHER
    seen.add(value)
    return value
