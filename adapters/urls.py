"""Addresses of the adapter catalogue."""

from django.urls import path

from adapters.catalogue import catalogue_views, owner_views

app_name = "adapters"
urlpatterns = [
    path("adapters/", catalogue_views.catalogue_page, name="list"),
    path("adapters/upload/", owner_views.upload, name="upload"),
    path("adapters/verdicts/", catalogue_views.verdicts_page, name="verdicts"),
    path("adapters/shared/<uuid:share_key>/", catalogue_views.open_link, name="link"),
    path("adapters/<slug:slug>/", catalogue_views.adapter_page, name="adapter"),
    path(
        "adapters/<slug:slug>/examples/<int:position>.png", catalogue_views.example, name="example"
    ),
    path(
        "adapters/<slug:slug>/examples/<int:position>/report/",
        catalogue_views.report,
        name="report",
    ),
    path("adapters/<slug:slug>/fit/", owner_views.fit, name="fit"),
    path("adapters/<slug:slug>/share/", owner_views.share, name="share"),
    path("adapters/<slug:slug>/publish/", owner_views.publish, name="publish"),
    path("adapters/<slug:slug>/unpublish/", owner_views.unpublish, name="unpublish"),
    path("adapters/<slug:slug>/withdraw/", owner_views.withdraw, name="withdraw"),
    path("adapters/<slug:slug>/remove/", owner_views.remove, name="remove"),
]
