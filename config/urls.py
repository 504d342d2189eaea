"""Every address of the house. Apps own their pages in `urls.py` and their API in `api_urls.py`."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.accounts.api_keys import key_views
from config.accounts.notifications import notification_views
from config.accounts.roles import role_views
from config.mail import mailbox_views
from config.runtime.metrics_page import metrics

handler500 = "config.web.unavailable.server_error"
APPS = (
    "config.webhooks",
    "provenance",
    "moderation",
    "moderation.audits",
    "adapters",
    "generation",
)

urlpatterns = [
    path(  # the admin's own form knows no limit of tries
        "admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")
    ),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/", include("config.accounts.single_sign_on.sign_on_urls")),
    path("scim/v2/", include("config.accounts.single_sign_on.scim.scim_urls")),
    path("account/keys/", key_views.list_keys, name="keys"),
    path("account/keys/make/", key_views.make, name="make-key"),
    path("account/keys/<int:key_id>/revoke/", key_views.revoke, name="revoke-key"),
    path("notifications/", notification_views.notifications, name="notifications"),
    path("notifications/unread/", notification_views.unread, name="notifications-unread"),
    path("notifications/read/", notification_views.read, name="notifications-read"),
    path("projects/", include("config.accounts.projects.urls")),
    path("roles/", role_views.roles, name="roles"),
    path("roles/ask/", role_views.ask, name="role-ask"),
    path("roles/<uuid:change_id>/confirm/", role_views.confirm, name="role-confirm"),
    path("roles/<uuid:change_id>/decline/", role_views.decline, name="role-decline"),
    path("api/v1/projects/", include("config.accounts.projects.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("mails/", mailbox_views.mails, name="mails"),
    path("metrics", metrics, name="metrics"),
]
urlpatterns += [
    path("api/v1/", include(f"{app}.api_urls")) for app in APPS if find_spec(f"{app}.api_urls")
]
urlpatterns += [path("v1/", include("generation.compat.openai.urls"))]
urlpatterns += [path("sdapi/v1/", include("generation.compat.a1111.urls"))]
urlpatterns += [path("", include(f"{app}.urls")) for app in APPS if find_spec(f"{app}.urls")]
