"""Pages of the catalogue: browse adapters and models, look at one adapter."""

from __future__ import annotations

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from adapters import catalogue
from adapters.cards import card_of, model_cards
from adapters.forms import CatalogueFilter
from adapters.pages import SignedIn, page

CARDS_A_SHEET = 24


@require_GET
@page
def catalogue_page(request: SignedIn) -> HttpResponse:
    """The catalogue, or for htmx its sheet of cards alone."""
    models = list(catalogue.active_models())
    form = CatalogueFilter(request.GET, models=models)
    found = catalogue.search(form.search(), by=request.user)
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
    adapter = catalogue.find_visible(slug, by=request.user)
    context = {"adapter": adapter, "card": card_of(adapter, by=request.user)}
    return render(request, "adapters/adapter.html", context)
