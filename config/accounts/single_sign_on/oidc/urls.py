"""allauth's two addresses of OpenID Connect, with the house's own flow behind them."""

from __future__ import annotations

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from config.accounts.single_sign_on.leaving import leads_away
from config.accounts.single_sign_on.oidc.code_flow import CodeFlow
from config.core.pages import public_page


@public_page
@leads_away
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider, after a POST."""
    return _answered(OAuth2LoginView, request, provider_id)


@public_page
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from it, with a code."""
    return _answered(OAuth2CallbackView, request, provider_id)


def _answered(view: type, request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        answer: HttpResponse = view.adapter_view(CodeFlow(request, provider_id))(request)  # type: ignore[attr-defined] # allauth has no types
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    return answer


urlpatterns = [
    path("oidc/<slug:provider_id>/login/", login, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", callback, name="openid_connect_callback"),
]
