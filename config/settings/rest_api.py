"""What the API asks of those that call it, and how it describes itself."""

from config.env import env_str
from config.settings.transport import PROXIES

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
