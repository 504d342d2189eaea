"""What Django is put together from, and what a request passes."""

from config.settings.instance import ROOT

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
    "config.core.projects.apps.ProjectsConfig",
    "config.core.outbox.apps.OutboxConfig",
    "config.core.holds.apps.HoldsConfig",
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
    "config.web.watched_requests.RequestIds",
    # The outermost but for these: no error of any other one passes it as a page.
    "config.core.api.problem_handler.LastWord",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.web.maintenance_door.MaintenanceDoor",
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
