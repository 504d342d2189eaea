import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - the line above reads the settings
from django.urls import get_resolver  # noqa: E402 - likewise

from config.launch import private_files  # noqa: E402 - likewise
from config.runtime import gc_tuning, start_check  # noqa: E402 - likewise
from config.watching import watched_process  # noqa: E402 - likewise
from config.web import probes, senders  # noqa: E402 - likewise
from config.web.crowding import Crowding, Proxies  # noqa: E402 - likewise
from config.web.deaf_readers import DeafReaders  # noqa: E402 - likewise
from config.web.header_handler import Handler  # noqa: E402 - likewise
from config.web.mcp_door import McpDoor  # noqa: E402 - likewise
from config.web.request_limits import BoundedBodies, Bounds  # noqa: E402 - likewise
from config.web.watched_requests import WatchedRequests  # noqa: E402 - likewise

FORM_BYTES = 1024 * 1024  # what a form adds around its file
_ADAPTER_BYTES = settings.PROOFSHEET_ADAPTER_MAX_BYTES + FORM_BYTES
_SOURCE_BYTES = settings.PROOFSHEET_SOURCE_MAX_BYTES + FORM_BYTES
# A picture as base64 in JSON, of which there may be as much as OpenAI takes.
_INLINE_BYTES = max(_SOURCE_BYTES, 21 * 1024 * 1024)
_VERIFY_BYTES = settings.PROOFSHEET_VERIFY_MAX_BYTES + FORM_BYTES

bounds = Bounds(
    anybody=FORM_BYTES,
    anybody_at={
        "/verify/": _VERIFY_BYTES,
        "/api/v1/verify/": _VERIFY_BYTES,
        "/sbr/matches/byContent": _VERIFY_BYTES,
    },
    account=_VERIFY_BYTES,
    account_at={
        "/adapters/upload/": _ADAPTER_BYTES,
        "/api/v1/adapters/": _ADAPTER_BYTES,
        "/studio/submit/": _SOURCE_BYTES,
        "/api/v1/generations/": _SOURCE_BYTES,
        "/v1/images/edits": _INLINE_BYTES,
        "/v1/moderations": _INLINE_BYTES,
        "/sdapi/v1/img2img": _INLINE_BYTES,
        "/sdapi/v1/png-info": _INLINE_BYTES,
    },
)
# A picture in JSON is a third longer.
_TOOL_BYTES = max(_SOURCE_BYTES, _VERIFY_BYTES) * 4 // 3
_PROXIES = Proxies.at(settings.PROOFSHEET_PROXY_NETWORKS, count=settings.PROXIES)
application = DeafReaders(
    WatchedRequests(
        Crowding(
            McpDoor(
                BoundedBodies(Handler(), bounds=bounds, identify=senders.identify),
                bounds=Bounds(anybody=FORM_BYTES, account=_TOOL_BYTES),
            ),
            proxies=_PROXIES,
            most=settings.PROOFSHEET_REQUESTS_PER_ADDRESS,
        ),
        proxies=_PROXIES,
    )
)

start_check.require_for_web()
private_files.begin()
get_resolver().url_patterns  # noqa: B018 - imports every view now, not at the first request
watched_process.begin("web", probes.of_web().lacking)
gc_tuning.settle()
