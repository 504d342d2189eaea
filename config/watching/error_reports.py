"""Tells Sentry, or what speaks like it, of errors: where the code was and of which class they are.

Neither locals nor bodies, headers, addresses or sentences: people's words are in all of them.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

MISSING = "SENTRY_DSN is set, and its package is not installed: pip install sentry-sdk"
KEPT = (
    "event_id", "timestamp", "level", "platform", "logger", "release", "environment",
    "server_name", "transaction", "sdk", "exception", "logentry", "threads", "tags",
)  # fmt: skip


def begin(kind: str) -> None:
    """Once in a process of that kind. Ends it with one sentence where the package is missing."""
    if not settings.PROOFSHEET_SENTRY_DSN:
        return
    try:
        import sentry_sdk
    except ImportError as error:
        raise SystemExit(MISSING) from error
    sentry_sdk.init(
        dsn=settings.PROOFSHEET_SENTRY_DSN,
        release=f"proofsheet@{settings.PROOFSHEET_VERSION}",
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=cleaned,
    )
    sentry_sdk.set_tag("process", kind)


def cleaned(event: dict[str, Any], hint: object = None) -> dict[str, Any]:
    """What of an event leaves the house: of a line its words before anything was put into them."""
    kept = {name: event[name] for name in KEPT if name in event}
    for error in kept.get("exception", {}).get("values", ()):
        error.pop("value", None)
        for frame in error.get("stacktrace", {}).get("frames", ()):
            frame.pop("vars", None)
    if "logentry" in kept:
        kept["logentry"] = {"message": kept["logentry"].get("message", "")}
    return kept
