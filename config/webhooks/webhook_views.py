"""The pages of a project's webhooks."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.pages import SignedIn, page
from config.webhooks import endpoint_addresses, endpoints, signing_secrets
from config.webhooks.models import Endpoint
from config.webhooks.webhook_forms import EndpointForm, NewEndpointForm

DELIVERIES_A_PAGE = 20


@require_GET
@page
def list_endpoints(request: SignedIn, project_id: UUID) -> HttpResponse:
    """A project's endpoints, and the form for another."""
    return _list(request, project_id, NewEndpointForm())


@require_POST
@page
def make(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Make an endpoint and show its secret this once."""
    form = NewEndpointForm(request.POST)
    if form.is_valid():
        try:
            made, secret = endpoints.make(
                project_id, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except endpoint_addresses.AddressRefused as error:
            form.add_error("url", str(error))
        else:
            return _one(request, made, secret=secret)
    return _list(request, project_id, form, status=400)


@require_GET
@page
def show(request: SignedIn, project_id: UUID, endpoint_id: UUID) -> HttpResponse:
    """One endpoint: how it is set, and what was sent to it."""
    return _one(request, endpoints.find(project_id, endpoint_id, by=request.user))


@require_POST
@page
def change(request: SignedIn, project_id: UUID, endpoint_id: UUID) -> HttpResponse:
    """Another address, name or choice of events."""
    found = endpoints.find(project_id, endpoint_id, by=request.user)
    form = EndpointForm(request.POST)
    if form.is_valid():
        try:
            endpoints.change(found, at=timezone.now(), **form.cleaned_data)
        except endpoint_addresses.AddressRefused as error:
            form.add_error("url", str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("webhook", project_id, endpoint_id)
    return _one(request, found, form=form, status=400)


@require_POST
@page
def switch(request: SignedIn, project_id: UUID, endpoint_id: UUID) -> HttpResponse:
    """Off where it is on, and on where it is off."""
    found = endpoints.find(project_id, endpoint_id, by=request.user)
    changed = endpoints.change(found, at=timezone.now(), is_on=request.POST.get("to") == "on")
    told = "It is on: what waited goes out." if changed.is_on else "It is off."
    messages.success(request, told)
    return redirect("webhook", project_id, endpoint_id)


@require_POST
@page
def rotate(request: SignedIn, project_id: UUID, endpoint_id: UUID) -> HttpResponse:
    """Another secret, shown this once."""
    found = endpoints.find(project_id, endpoint_id, by=request.user)
    return _one(request, found, secret=endpoints.rotate(found, at=timezone.now()))


@require_POST
@page
def send_test(request: SignedIn, project_id: UUID, endpoint_id: UUID) -> HttpResponse:
    """An event that says nothing."""
    found = endpoints.find(project_id, endpoint_id, by=request.user)
    endpoints.send_test(found, at=timezone.now())
    messages.success(request, "A test event is on its way: reload to see what came of it.")
    return redirect("webhook", project_id, endpoint_id)


@require_POST
@page
def replay(
    request: SignedIn, project_id: UUID, endpoint_id: UUID, delivery_id: UUID
) -> HttpResponse:
    """An event once more."""
    found = endpoints.find(project_id, endpoint_id, by=request.user)
    endpoints.replay(found, delivery_id, at=timezone.now())
    messages.success(request, "It is sent once more: reload to see what came of it.")
    return redirect("webhook", project_id, endpoint_id)


@require_POST
@page
def delete(request: SignedIn, project_id: UUID, endpoint_id: UUID) -> HttpResponse:
    """For good, with its log."""
    found = endpoints.find(project_id, endpoint_id, by=request.user)
    endpoints.delete(found, at=timezone.now())
    messages.success(request, "The endpoint is deleted.")
    return redirect("webhooks", project_id)


def _list(
    request: SignedIn, project_id: UUID, form: NewEndpointForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "project": endpoints.project_of(project_id, by=request.user),
        "endpoints": endpoints.of_project(project_id, by=request.user),
        "form": form,
    }
    return render(request, "webhooks/endpoints.html", context, status=status)


def _one(
    request: SignedIn,
    endpoint: Endpoint,
    *,
    form: EndpointForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    said = {name: getattr(endpoint, name) for name in ("url", "description", "types")}
    log = Paginator(endpoints.log_of(endpoint), DELIVERIES_A_PAGE)
    context = {
        "endpoint": endpoint,
        "form": form or EndpointForm(initial=said),
        "secret": secret,
        "public_keys": signing_secrets.public_keys_of(endpoint, at=timezone.now()),
        "page": log.get_page(request.GET.get("page")),
    }
    return render(request, "webhooks/endpoint.html", context, status=status)
