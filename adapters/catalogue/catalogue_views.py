"""Pages of the catalogue: browse adapters and models, look at one adapter."""

from __future__ import annotations

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from adapters.access import visibility
from adapters.catalogue.adapter_cards import card_of, model_cards, report_of
from adapters.catalogue.catalogue_forms import CatalogueFilter
from adapters.formats.file_verdicts import VERDICTS
from adapters.publishing import examples
from adapters.uploads import check_progress
from config.core.pages import SignedIn, page

CARDS_A_SHEET = 24


@require_GET
@page
def catalogue_page(request: SignedIn) -> HttpResponse:
    """The catalogue, or for htmx its sheet of cards alone."""
    models = list(visibility.active_models())
    form = CatalogueFilter(request.GET, models=models)
    found = visibility.search(form.search(), by=request.user)
    sheet = Paginator(found, CARDS_A_SHEET).get_page(request.GET.get("page"))
    given, acts_in = form.wanted(), visibility.acts_in(request.user)
    context = {
        "form": form,
        "page": sheet,
        "cards": [card_of(adapter, by=request.user, acts_in=acts_in) for adapter in sheet],
        "models": model_cards(models),
        "is_narrowed": bool(set(given) - {"sort"}),
        "query": f"{urlencode(given)}&" if given else "",
    }
    template = "adapters/catalogue.html" + ("#sheet" if request.htmx else "")
    return render(request, template, context)


@require_GET
@page
def adapter_page(request: SignedIn, slug: str) -> HttpResponse:
    """One adapter, or for htmx how far its check has come."""
    adapter = visibility.find_visible(slug, by=request.user)
    card = card_of(adapter, by=request.user, acts_in=visibility.acts_in(request.user))
    context = {
        "adapter": adapter,
        "card": card,
        "is_admin": card.is_own,
        "twin": visibility.twin_of(adapter, by=request.user) if card.is_own else None,
        "report": report_of(adapter) if card.is_own or adapter.owner_id is None else None,
        "examples_missing": examples.waiting_of(adapter).count() if card.is_own else 0,
        "check": check_progress.read(adapter.id) if adapter.is_on_its_way else None,
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
def verdicts_page(request: SignedIn) -> HttpResponse:
    """Everything that a check may say of a file, with what to do, for anybody signed in."""
    return render(request, "adapters/catalogue_verdicts.html", {"verdicts": VERDICTS.values()})
