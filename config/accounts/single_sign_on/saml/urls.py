"""allauth's addresses of SAML, without those for signing out at the provider.

A response is verified before anything of it is kept: what nobody signed leaves no row behind.
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.saml import views
from allauth.socialaccount.providers.saml.utils import build_auth, build_saml_config, get_app_or_404
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from lxml import etree
from onelogin.saml2.errors import OneLogin_Saml2_Error
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from config.accounts.single_sign_on.leaving import leads_away
from config.accounts.single_sign_on.sign_on_refusals import SignOnFailed
from config.core.pages import public_page

RESPONSE_MAX_LENGTH = 256 * 1024
# What the libraries raise over responses that are none: python3-saml passes on lxml's and Python's.
_UNREADABLE = (OneLogin_Saml2_Error, etree.LxmlError, ValueError, KeyError, AttributeError)


@public_page
@leads_away
def login(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """To the provider, after a POST."""
    return _answer(views.login, request, organization_slug)


@csrf_exempt
@require_POST
@public_page
def acs(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Where the provider's page posts to, from another origin and so without the session."""
    if len(request.POST.urlencode()) > RESPONSE_MAX_LENGTH:
        raise SignOnFailed
    provider = get_app_or_404(request, organization_slug).get_provider(request)
    _name_host(request)
    try:
        response = build_auth(request, provider)
        response.process_response()
    except _UNREADABLE as error:
        raise SignOnFailed from error
    if response.get_errors() or not response.is_authenticated():
        raise SignOnFailed
    return _answer(views.acs, request, organization_slug)


@public_page
def finish_acs(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """With the session again: only the answer to what it asked, once."""
    try:
        return _answer(views.finish_acs, request, organization_slug)
    except (PermissionDenied, *_UNREADABLE) as error:
        raise SignOnFailed from error


@require_safe
def metadata(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """What a provider's administrator is given."""
    app = get_app_or_404(request, organization_slug)
    said = build_saml_config(request, app.settings, organization_slug)
    del said["sp"]["singleLogoutService"]
    told = OneLogin_Saml2_Settings(settings=said, sp_validation_only=True).get_sp_metadata()
    return HttpResponse(told, content_type="application/samlmetadata+xml")


def no_sign_out(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Sessions end by themselves, with a role, or by SCIM; a provider's page ends none."""
    raise Http404


def _name_host(request: HttpRequest) -> None:
    """allauth reads the header alone, which a client of HTTP/1.0 need not send."""
    request.META.setdefault("HTTP_HOST", request.get_host())


def _answer(view: Any, request: HttpRequest, organization_slug: str) -> HttpResponse:
    _name_host(request)
    answer: HttpResponse = view(request, organization_slug=organization_slug)
    return answer


urlpatterns = [
    path("saml/<slug:organization_slug>/login/", login, name="saml_login"),
    path("saml/<slug:organization_slug>/acs/", acs, name="saml_acs"),
    path("saml/<slug:organization_slug>/acs/finish/", finish_acs, name="saml_finish_acs"),
    path("saml/<slug:organization_slug>/metadata/", metadata, name="saml_metadata"),
    path("saml/<slug:organization_slug>/sls/", no_sign_out, name="saml_sls"),
]
