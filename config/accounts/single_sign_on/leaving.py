"""Leaving for the provider by a page instead of a redirect.

`form-action 'self'` of the content policy holds for every redirect that follows a form, so a
browser would not go from the sign-in form to the provider, nor from there to a third one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render

View = Callable[..., HttpResponse]


def leads_away(view: View) -> View:
    """A redirect to another origin becomes a page that goes there at once."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **said: object) -> HttpResponse:
        answer = view(request, *args, **said)
        is_away = isinstance(answer, HttpResponseRedirectBase) and "://" in answer.url
        if not is_away:
            return answer
        page = render(request, "socialaccount/leaving.html", {"address": answer["Location"]})
        page["Referrer-Policy"] = "no-referrer"
        return page

    return wrapped
