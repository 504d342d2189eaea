"""What the sign-in page knows of providers."""

from __future__ import annotations

from typing import Any

from django import template

from config.accounts.single_sign_on.sign_on_adapter import Arrivals
from config.accounts.single_sign_on.sign_on_told import told

register = template.Library()


@register.simple_tag(takes_context=True)
def sign_on_ways(context: dict[str, Any]) -> dict[str, Any]:
    """The providers, and whether the form for passwords is shown: where single sign-on is enforced,
    to who asks for it, and again after a wrong password.
    """
    request = context["request"]
    providers = Arrivals(request).list_providers(request) if told().providers else []
    is_asked_for = request.method == "POST" or "emergency" in request.GET
    return {
        "providers": providers,
        "is_enforced": told().is_enforced,
        "is_form_shown": is_asked_for or not told().is_enforced,
    }


@register.simple_tag(takes_context=True)
def provider_address(context: dict[str, Any], provider: Any, process: str) -> str:
    """Where its button posts to, with where to go on afterwards."""
    request = context["request"]
    after = request.POST.get("next") or request.GET.get("next")
    more = {"next": after} if after and process == "login" else {}
    address: str = provider.get_login_url(request, process=process, **more)
    return address
