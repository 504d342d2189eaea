"""Pages of the catalogue: browse adapters and models, look at one adapter."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from adapters.access import visibility
from adapters.catalogue.adapter_cards import card_of, model_cards, report_of
from adapters.catalogue.adapter_forms import CatalogueFilter
from adapters.formats.file_verdicts import VERDICTS
from adapters.publishing import examples
from adapters.uploads import check_job, owner_actions
from config.core.pages import SignedIn, page
from moderation.subjects import blurring
from provenance.verify import sightings

CARDS_A_SHEET = 24


@require_GET
@page
def catalogue_page(request: SignedIn) -> HttpResponse:
    """The catalogue, or for htmx its sheet of cards alone."""
    models = list(visibility.active_models())
    form = CatalogueFilter(request.GET, models=models)
    found = visibility.search(form.search(), by=request.user)
    sheet = Paginator(found, CARDS_A_SHEET).get_page(request.GET.get("page"))
    given = form.wanted()
    context = {
        "form": form,
        "page": sheet,
        "cards": [card_of(adapter, by=request.user) for adapter in sheet],
        "models": model_cards(models),
        "is_narrowed": bool(set(given) - {"sort"}),
        "query": f"{urlencode(given)}&" if given else "",
    }
    template = "adapters/list.html" + ("#sheet" if request.htmx else "")
    return render(request, template, context)


@require_GET
@page
def adapter_page(request: SignedIn, slug: str) -> HttpResponse:
    """One adapter, or for htmx how far its check has come."""
    adapter = visibility.find_visible(slug, by=request.user)
    card = card_of(adapter, by=request.user)
    context = {
        "adapter": adapter,
        "card": card,
        "is_admin": card.is_own,
        "twin": visibility.twin_of(adapter, by=request.user) if card.is_own else None,
        "report": report_of(adapter) if card.is_own or adapter.owner_id is None else None,
        "examples_missing": examples.waiting_of(adapter).count() if card.is_own else 0,
        "check": check_job.progress_of(adapter.id) if adapter.is_on_its_way else None,
        "share_url": request.build_absolute_uri(reverse("adapters:link", args=[adapter.share_key]))
        if card.is_own
        else "",
    }
    if request.htmx and not adapter.is_on_its_way:
        return HttpResponse(headers={"HX-Refresh": "true"})
    template = "adapters/adapter.html" + ("#check" if request.htmx else "")
    return render(request, template, context)


@require_GET
@page
def open_link(request: SignedIn, share_key: UUID) -> HttpResponse:
    """A shared link: the adapter is then in the catalogue of whoever opened it."""
    return redirect(owner_actions.open_link(share_key, by=request.user, at=timezone.now()))


@require_GET
@page
def example(request: SignedIn, slug: str, position: int) -> HttpResponse:
    """An example picture, marked and signed as it was delivered, or blurred for everybody."""
    found = examples.find_shown(slug, position, by=request.user)
    with found.file.open("rb") as file:
        data = blurring.blurred(file.read()) if found.is_blurred else file.read()
    return HttpResponse(data, content_type="image/png")


@require_GET
@page
def report(request: SignedIn, slug: str, position: int) -> HttpResponse:
    """To the report of an example, for somebody who can see it."""
    found = examples.find_shown(slug, position, by=request.user)
    if found.image_id is None:
        raise examples.ExampleNotFound
    sighting = sightings.give(found.image_id, at=timezone.now())
    return redirect(f"{reverse('moderation:report')}?{urlencode({'sighting': sighting})}")


@require_GET
@page
def verdicts_page(request: SignedIn) -> HttpResponse:
    return render(request, "adapters/verdicts.html", {"verdicts": VERDICTS.values()})
