"""The addresses of single sign-on, below /accounts/. They are there whether or not a house has
providers, and then lead nowhere.
"""

from __future__ import annotations

from allauth.socialaccount import views
from django.http import Http404, HttpResponse
from django.urls import include, path

from config.accounts.single_sign_on.sign_on_told import told
from config.core.pages import SignedIn, page


@page
def connections(request: SignedIn) -> HttpResponse:
    """A person's own ways in: connecting one takes the account's password or second factor."""
    if not told().providers:
        raise Http404
    answer: HttpResponse = views.connections(request)
    return answer


urlpatterns = [
    path("3rdparty/", connections, name="socialaccount_connections"),
    path("", include("config.accounts.single_sign_on.oidc.urls")),
    path("", include("config.accounts.single_sign_on.saml.urls")),
]
