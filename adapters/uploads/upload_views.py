"""What an adapter's owner does with it: upload, fit, share, publish, withdraw, remove."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from adapters.access import visibility
from adapters.models import Adapter
from adapters.uploads import owner_actions
from adapters.uploads.quarantine import FIELD, Quarantined, QuarantineHandler
from adapters.uploads.upload_forms import UploadForm
from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, uuid_of
from config.core.projects import calling, chosen


@csrf_exempt  # only so that the handler below is set before the body is read; see _upload
@require_http_methods(["GET", "POST"])
@page
def upload(request: SignedIn) -> HttpResponseBase:
    """The form, and what it sends; a refused upload shows the form again with the reason."""
    request.upload_handlers = [QuarantineHandler(request)]
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    signed_in = cast(SignedIn, request)
    models = list(visibility.active_models())
    form = UploadForm(request.POST if request.method == "POST" else None, models=models)
    if request.method != "POST":
        return _form(signed_in, form)
    file = request.FILES.get(FIELD)
    if not isinstance(file, Quarantined):
        form.add_error(None, "Choose a file first.")
    elif form.is_valid():
        try:
            chosen.hold(request, uuid_of(request.POST.get("for_project")))
            received = owner_actions.receive(
                file, form.details(), by=signed_in.user, at=timezone.now()
            )
        except ProofsheetError as error:
            form.add_error(None, str(error))
        else:
            if not received.is_new:
                messages.info(request, owner_actions.known_sentence(received.adapter))
            return _lead_to(received.adapter, request)
    if isinstance(file, Quarantined):
        file.discard()
    return _form(signed_in, form, status=422)


def _form(request: SignedIn, form: UploadForm, *, status: int = 200) -> HttpResponse:
    """For the project that was chosen, which the form names: a switch elsewhere moves no file."""
    context = {"form": form, "for_project": calling.project_for(request.user)}
    return render(request, "adapters/upload.html", context, status=status)


def _lead_to(adapter: Adapter, request: HttpRequest) -> HttpResponse:
    """A script would follow a redirect by itself and so use up the message for the next page."""
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return HttpResponse(status=201, headers={"Location": adapter.get_absolute_url()})
    return redirect(adapter)


@require_POST
@page
def fit(request: SignedIn, slug: str) -> HttpResponse:
    """Its owner has a lower rank made from it."""
    return redirect(owner_actions.fit_to_ceiling(slug, by=request.user, at=timezone.now()))


@require_POST
@page
def withdraw(request: SignedIn, slug: str) -> HttpResponse:
    """Its owner withdraws it."""
    owner_actions.withdraw(slug, by=request.user, at=timezone.now())
    messages.success(request, "Withdrawn: no new request can use it. Running ones end.")
    return redirect("adapters:list")


@require_POST
@page
def remove(request: SignedIn, slug: str) -> HttpResponse:
    """Its owner erases one that the check turned away."""
    owner_actions.remove(slug, by=request.user)
    messages.success(request, "Removed, and its file erased.")
    return redirect("adapters:list")
