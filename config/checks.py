"""What production must have, asked all at once: `manage.py check --deploy`, and every start.

With PROOFSHEET_LOCAL=0 no process starts while one of these errors stands (`require`).
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from config.web.crowding import Proxies

KEY_CHARACTERS = 50
# Bits of prefix that the widest network of proxies has, by version: 10.0.0.0/8 is one, a provider's
# range too; no larger one is anybody's own.
PREFIX_MIN = {4: 8, 6: 16}
MAIL_TO_NOBODY = ("console", "dummy", "locmem", "filebased", "config.mail.developer_mailbox")
ADVICE = "README lists every setting; `manage.py check --deploy` says what is left."
# Commands that only look at the project, or ask for these very errors.
ONLY_LOOK = {"check", "help", "diffsettings", "makemigrations", "spectacular", "version", "doctor"}


def problems() -> list[CheckMessage]:
    """All that stands against production, whether or not this is one."""
    asked = (_key, _debug, _hosts, _public_url, _mail, _proxies, _storage, _second_factor, _origin)
    return [
        Error(sentence, hint=ADVICE, id=f"proofsheet.E{number:03}")
        for number, ask in enumerate((*asked, _keys_folder), start=1)
        for sentence in ask()
    ]


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Any, **_: Any) -> Iterable[CheckMessage]:
    """What `manage.py check --deploy` finds wrong with the settings."""
    return problems()


def require() -> None:
    """Raises ImproperlyConfigured with every error, one a line."""
    if settings.IS_LOCAL or _only_looks():
        return
    if found := problems():
        lines = "".join(f"\n  {each.id}: {each.msg}" for each in found)
        raise ImproperlyConfigured(
            f"These settings are not fit for production, so nothing starts:{lines}\n{ADVICE}"
        )


def _only_looks() -> bool:
    is_manage = Path(sys.argv[0]).name in {"manage.py", "django-admin"}
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    return is_manage and (command in ONLY_LOOK or "--help" in sys.argv)


def _key() -> Iterator[str]:
    try:
        key = str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        yield "SECRET_KEY is not set: production has no default for it."
        return
    is_repeated = key in (key + key)[1:-1]
    is_short = len(key) < KEY_CHARACTERS or len(set(key)) < 10
    if is_short or is_repeated or key.startswith("django-insecure-"):
        yield f"SECRET_KEY is too easy: make {KEY_CHARACTERS} random characters or more."


def _debug() -> Iterator[str]:
    if settings.DEBUG:
        yield "DEBUG is on: its pages show settings and code to everybody."


def _hosts() -> Iterator[str]:
    hosts = settings.ALLOWED_HOSTS
    if not os.environ.get("ALLOWED_HOSTS") or not hosts:
        yield "ALLOWED_HOSTS is not set: name the hosts that this house answers for."
    elif loose := [host for host in hosts if host in {"*", "."} or "*" in host]:
        yield f"ALLOWED_HOSTS has {loose[0]!r}: name hosts, not all of them."
    elif wide := [host for host in hosts if host[0] == "." and "." not in host[1:]]:
        yield f"ALLOWED_HOSTS has {wide[0]!r}: that is everybody's under a whole top-level domain."


def _public_url() -> Iterator[str]:
    if not os.environ.get("PUBLIC_URL"):
        yield "PUBLIC_URL is not set: mails and manifests would name localhost."
        return
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" or not parts.hostname:
        yield f"PUBLIC_URL is {settings.PUBLIC_URL!r}: it begins with https:// and a host."
    elif "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        yield f"PUBLIC_URL is {settings.PUBLIC_URL!r}: nothing follows its host, or goes before it."
    elif not any(_is_host(parts.hostname, allowed) for allowed in settings.ALLOWED_HOSTS):
        yield f"PUBLIC_URL names {parts.hostname}, which is not among ALLOWED_HOSTS."


def _is_host(host: str, allowed: str) -> bool:
    return (
        allowed == "*" or host == allowed or (allowed[:1] == "." and f".{host}".endswith(allowed))
    )


def _mail() -> Iterator[str]:
    if any(word in settings.EMAIL_BACKEND for word in MAIL_TO_NOBODY):
        yield "EMAIL_BACKEND reaches nobody: django.core.mail.backends.smtp.EmailBackend sends."
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        yield "DEFAULT_FROM_EMAIL is at localhost: no mail server takes notices from there."


def _proxies() -> Iterator[str]:
    if not os.environ.get("PROOFSHEET_PROXIES"):
        yield "PROOFSHEET_PROXIES is not set: say how many proxies there are, 0 for none."
    elif not 0 <= settings.PROXIES <= 9:
        yield f"PROOFSHEET_PROXIES is {settings.PROXIES}: say how many proxies there are."
    elif settings.PROXIES and not os.environ.get("PROOFSHEET_PROXY_NETWORKS"):
        yield "PROOFSHEET_PROXY_NETWORKS is not set: say where the proxies are, nowhere else."
    try:
        proxies = Proxies.at(settings.PROOFSHEET_PROXY_NETWORKS, count=settings.PROXIES)
    except ValueError as error:
        yield f"PROOFSHEET_PROXY_NETWORKS names no network: {error}."
        return
    for network in proxies.networks:
        if network.prefixlen < PREFIX_MIN[network.version]:
            yield (
                f"PROOFSHEET_PROXY_NETWORKS has {network}, which is too wide: whoever is there "
                "could name any address."
            )


def _storage() -> Iterator[str]:
    try:
        import_string(settings.PRIVATE_STORAGE_BACKEND)
    except ImportError as error:
        yield f"PRIVATE_STORAGE_BACKEND cannot be loaded: {error}."
    told = settings.PRIVATE_STORAGE_OPTIONS.get("location")
    folder = Path(told) if told else None
    if folder is None:
        return
    if folder.is_relative_to(settings.STATIC_ROOT):
        yield f"Private files would lie in {folder}, which everybody can read: move MEDIA_ROOT."
    yield from _open_to_others(folder)


def _second_factor() -> Iterator[str]:
    if not getattr(settings, "PROOFSHEET_SECOND_FACTOR", True):
        yield "PROOFSHEET_SECOND_FACTOR is off: whoever has a password of staff has the desk."


def _origin() -> Iterator[str]:
    origin = settings.PROOFSHEET_LOG_ORIGIN
    if not os.environ.get("PROOFSHEET_LOG_ORIGIN") or origin.startswith(("localhost", "127.")):
        yield (
            "PROOFSHEET_LOG_ORIGIN is not set: the log needs a name of its own for ever, such as "
            "images.example/log."
        )
    elif "." not in origin.partition("/")[0] or set(origin) & set(" \t+\n"):
        yield f"PROOFSHEET_LOG_ORIGIN is {origin!r}: it begins with a host of yours, no spaces."


def _keys_folder() -> Iterator[str]:
    yield from _open_to_others(settings.PROOFSHEET_KEYS_DIR)


def _open_to_others(folder: Path) -> Iterator[str]:
    """Whether anybody else on this host reads it; what is not there yet is made private."""
    if folder.is_dir() and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield f"Others on this host can open {folder}: chmod -R go= {folder}"
