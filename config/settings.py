"""All settings, read top to bottom; those that Proofsheet alone reads are in `own_settings`.

Every variable is listed in the README's table.
"""

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.templatetags.static import static

from config.accounts.roles.role_names import ROLE_NAMES
from config.accounts.single_sign_on import allauth_apps, sign_on_file
from config.accounts.single_sign_on.scim import scim_settings
from config.app_settings import *  # noqa: F403 - they are settings of this module from here on
from config.env import (
    beside,
    database_from_url,
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_str,
)
from config.launch import embedded_servers, folder_lock, private_files

ROOT = Path(__file__).resolve().parent.parent
STATE_DIR = Path(env_str("PROOFSHEET_STATE_DIR", str(ROOT / "var"))).resolve()
PROOFSHEET_KEYS_DIR = Path(env_str("PROOFSHEET_KEYS_DIR", str(STATE_DIR / "keys"))).resolve()

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is ever fetched from a model hub at run time

DEBUG = env_bool("DEBUG", False)
IS_LOCAL = env_bool("PROOFSHEET_LOCAL", True)  # one host, plain HTTP, demo accounts


def _embedded_urls() -> dict[str, str]:
    """Addresses that config.launch.embedded_servers wrote when it started the embedded servers."""
    try:
        urls: dict[str, str] = json.loads((STATE_DIR / "services.json").read_text())
    except (OSError, ValueError):
        return {}
    return urls


def _secret_key() -> str:
    """SECRET_KEY, or in the local default one made at the first start and kept with the keys."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    if not IS_LOCAL:
        return ""  # which config.checks tells together with all else that is missing
    path = PROOFSHEET_KEYS_DIR / "django_secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # the first of two processes wins; both then read the same key
        draft.unlink()
    return path.read_text()


SECRET_KEY = _secret_key()
EMBEDDED = _embedded_urls()

# ---------------------------------------------------------------- hosts and transport
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])
PUBLIC_URL = env_str("PUBLIC_URL", folder_lock.address(STATE_DIR) or "http://localhost:8000")
SECURE_SSL_REDIRECT = not IS_LOCAL
SESSION_COOKIE_SECURE = not IS_LOCAL
SESSION_ENGINE = "config.accounts.sign_in.sessions"
CSRF_COOKIE_SECURE = not IS_LOCAL
HSTS = "off" if IS_LOCAL else env_choice("HSTS", ("preload", "subdomains", "host", "off"))
SECURE_HSTS_SECONDS = 0 if HSTS == "off" else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS in {"subdomains", "preload"}
SECURE_HSTS_PRELOAD = HSTS == "preload"
PROXIES = env_int("PROOFSHEET_PROXIES", 0)
# What no proxy of the house has set never gets so far: see config.web.crowding.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# ---------------------------------------------------------------- applications
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "template_partials",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "config.accounts.single_sign_on.apps.SingleSignOnConfig",
    "config.accounts.single_sign_on.oidc",
    "config.accounts.single_sign_on.saml",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_prometheus",
    "config.core.projects.apps.ProjectsConfig",
    "config.core.outbox.apps.OutboxConfig",
    "config.webhooks.apps.WebhooksConfig",
    "config.apps.HouseConfig",
    "provenance",
    "moderation",
    "moderation.audits",
    "adapters",
    "generation",
]
MIDDLEWARE = [
    "config.web.probes.Probes",
    # The outermost but for probes: no error of any other one passes it as a page.
    "config.core.api.problem_handler.LastWord",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.web.trailing_slash.KeepingMethod",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.web.content_policy.ContentSecurity",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.accounts.second_factor.second_factor_middleware.SecondFactor",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# ---------------------------------------------------------------- database, cache, broker
DATABASE_URL = env_str(
    "DATABASE_URL", EMBEDDED.get("DATABASE_URL", "postgresql://127.0.0.1/proofsheet")
)
DATABASE_ROLE = urlsplit(DATABASE_URL).username or ""
# Commands that make or change tables connect as their owner, where the application is another role.
CHANGES_TABLES = embedded_servers.changes_tables()
DATABASE_OWNER_URL = env_str("DATABASE_OWNER_URL", "") if CHANGES_TABLES else ""
if not CHANGES_TABLES:
    os.environ.pop("DATABASE_OWNER_URL", None)  # nothing that serves knows it, nor its children
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **database_from_url(
            DATABASE_OWNER_URL or DATABASE_URL, pool_size=env_int("DATABASE_POOL_SIZE", 16)
        ),
        "CONN_HEALTH_CHECKS": True,
        # A pooler that gives each transaction another connection knows no cursor of the last one.
        "DISABLE_SERVER_SIDE_CURSORS": env_choice("DATABASE_POOLER", ("none", "transaction"))
        == "transaction",
        "CONN_MAX_AGE": 0,  # under ASGI and thread pools connections come from the pool
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BROKER_URL = env_str("BROKER_URL", EMBEDDED.get("BROKER_URL", "redis://127.0.0.1:6379/0"))
CACHE_URL = env_str("CACHE_URL", EMBEDDED.get("CACHE_URL", "")) or beside(BROKER_URL)
CACHES = {
    "default": {
        "BACKEND": "config.runtime.forgiving_cache.ForgetfulRedisCache",
        "LOCATION": CACHE_URL,
    }
}

# ---------------------------------------------------------------- Celery: a message is a ticket
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
    "expire-projects": {
        "task": "generation.tasks.expire_projects",
        "schedule": crontab(hour=3, minute=30),
    },
    "requeue-audits": {"task": "generation.tasks.requeue_audits", "schedule": 30.0},
    "sweep-outbox": {"task": "config.core.outbox.tasks.sweep", "schedule": 5.0},
    "sweep-webhooks": {"task": "config.webhooks.tasks.sweep", "schedule": 10.0},
    "forget-webhooks": {"task": "config.webhooks.tasks.forget", "schedule": 3600.0},
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

# ---------------------------------------------------------------- accounts
# Every session holds this name: with another one everybody signs in once more.
AUTHENTICATION_BACKENDS = ["config.accounts.sign_in.logins.Passwords"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "config.accounts.api_keys.password_change.KeysEndWithThePassword"}]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/studio/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.accounts.single_sign_on.front_door.FrontDoor"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_FORMS = {"signup": "config.accounts.sign_in.sign_up.SignUpForm"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env_str(
    "ACCOUNT_EMAIL_VERIFICATION", "none" if IS_LOCAL else "mandatory"
)
# Wrong passwords: by address and name, by name, and by a device that the account knows. Addresses
# of the latter are counted for themselves: strangers at the same one lock nobody out.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key",
    "login_failed_name": "100/h/key",
    "login_failed_device": "10/m/ip,10/5m/key",
}
# Changes of mail, password and second factor ask for the password again, and are mailed.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
MFA_ADAPTER = "config.accounts.second_factor.secret_storage.Secrets"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_LOCAL  # browsers themselves allow it for localhost alone
MFA_TOTP_ISSUER = "Proofsheet"
PROOFSHEET_SECOND_FACTOR = env_bool("PROOFSHEET_SECOND_FACTOR", not IS_LOCAL)
MFA_ALLOW_UNVERIFIED_EMAIL = IS_LOCAL  # one host need not have a mail server
# Identity providers stand in a file of their own: docs/operate/single-sign-on.md. An address that
# one of them tells opens nobody's account, and what else it knows of people is not kept.
PROOFSHEET_SIGN_ON = sign_on_file.read(
    env_str("SIGN_ON_FILE", ""), roles=ROLE_NAMES, is_local=IS_LOCAL
)
SOCIALACCOUNT_ADAPTER = "config.accounts.single_sign_on.sign_on_adapter.Arrivals"
SOCIALACCOUNT_PROVIDERS = allauth_apps.apps_of(PROOFSHEET_SIGN_ON, is_local=IS_LOCAL)
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SCIM_SERVICE_PROVIDER = scim_settings.at(PUBLIC_URL)
EMAIL_BACKEND = env_str(
    "EMAIL_BACKEND",
    "config.mail.developer_mailbox.ToFolder"
    if IS_LOCAL
    else "django.core.mail.backends.smtp.EmailBackend",
)
PROOFSHEET_MAILS_DIR = STATE_DIR / "mails"
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 20  # seconds: a mail server that hangs holds a thread no longer
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "proofsheet@localhost")

# ---------------------------------------------------------------- API
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
REST_FRAMEWORK = {
    "NUM_PROXIES": PROXIES,  # unset, a client could send any address and have a limit of its own
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.accounts.api_keys.key_authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.accounts.api_keys.key_schema.ScopedSchema",
    "DEFAULT_PARSER_CLASSES": [
        "config.core.api.json_bodies.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "config.core.api.paging.Pages",
    "URL_FORMAT_OVERRIDE": None,  # `Accept` says it; another parameter would be one too many
    "PAGE_SIZE": 24,
    "DEFAULT_THROTTLE_CLASSES": [
        "config.core.api.throttles.UserThrottle",
        "config.core.api.throttles.AnonThrottle",
        "config.core.api.throttles.ScopedThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "user": env_str("API_RATE_USER", "600/min"),
        "moderate": env_str("API_RATE_MODERATE", "600/min"),
        "anon": env_str("API_RATE_ANON", "60/min"),
        "verify": env_str("API_RATE_VERIFY", "30/min"),
    },
    "EXCEPTION_HANDLER": "config.core.api.problem_handler.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Proofsheet API",
    "DESCRIPTION": "Generate screened, marked and logged images; contest refusals; verify files.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",  # groups by what comes after; /sbr/ is a group of its own
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "SubjectKind": "moderation.models.SubjectKind",
        "GenerationStatus": "generation.models.RequestStatus",
        "ImageStatus": "generation.models.ImageState",
        "AdapterState": "adapters.models.Adapter.State",
        "AuditStage": "moderation.audits.audit_reports.audit_serializers.STAGES",
        "CaseStatus": "moderation.models.ReviewCase.Status",
        "DecisionAction": "moderation.models.Decision.Action",
        "AppealStatus": "moderation.models.Appeal.Status",
        "ExportKind": "moderation.models.Export.Kind",
    },
}

# ---------------------------------------------------------------- files
STATIC_URL = "/static/"
STATIC_ROOT = Path(env_str("STATIC_ROOT", str(STATE_DIR / "static"))).resolve()
STATICFILES_DIRS = [ROOT / "config" / "static"]
MEDIA_ROOT = Path(env_str("MEDIA_ROOT", str(STATE_DIR / "media"))).resolve()
PRIVATE_STORAGE_BACKEND = env_str(
    "PRIVATE_STORAGE_BACKEND", "django.core.files.storage.FileSystemStorage"
)
PRIVATE_STORAGE_OPTIONS: dict[str, Any] = json.loads(
    env_str("PRIVATE_STORAGE_OPTIONS", json.dumps({"location": str(MEDIA_ROOT)}))
)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": PRIVATE_STORAGE_BACKEND, "OPTIONS": PRIVATE_STORAGE_OPTIONS},
    "private": {"BACKEND": PRIVATE_STORAGE_BACKEND, "OPTIONS": PRIVATE_STORAGE_OPTIONS},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = (
    private_files.FILE_MODE,
    private_files.FOLDER_MODE,
)

# ---------------------------------------------------------------- language, time, logs
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.runtime.log_lines.PromptFreeFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_str("LOG_LEVEL", "INFO")},
    "loggers": {
        # Beat's tickets arrive every second: two lines for each would bury everything else.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # transformers imports torchao, which warns each time of kernels for other hardware.
        "torch.utils._pytree": {"level": "ERROR"},
        "torchao": {"level": "ERROR"},
    },
}
METRICS_TOKEN = env_str("METRICS_TOKEN", "")

# ---------------------------------------------------------------- admin
UNFOLD = {
    "SITE_TITLE": "Proofsheet",
    "SITE_HEADER": "Proofsheet",
    "SITE_SUBHEADER": "Operations",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("mark.svg")}
    ],
    "SCRIPTS": [lambda request: static("unfold_without_eval.js")],
    "BORDER_RADIUS": "3px",
    "COLORS": {  # the grease pencil of proofsheet.css, from its wash to its darkest stroke
        "primary": {
            "50": "#fdf3ee", "100": "#f6e3da", "200": "#f0c4b0", "300": "#ffab87",
            "400": "#ff8557", "500": "#e85a2a", "600": "#b5310f", "700": "#962708",
            "800": "#6f1d07", "900": "#4a1405", "950": "#2b0b02",
        },
    },
}  # fmt: skip
