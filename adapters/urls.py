"""Addresses of the adapter catalogue."""

from django.urls import path

from adapters.access import sharing_views
from adapters.catalogue import catalogue_views
from adapters.publishing import publishing_views
from adapters.uploads import upload_views

app_name = "adapters"
urlpatterns = [
    path("adapters/", catalogue_views.catalogue_page, name="list"),
    path("adapters/upload/", upload_views.upload, name="upload"),
    path("adapters/verdicts/", catalogue_views.verdicts_page, name="verdicts"),
    path("adapters/shared/<uuid:share_key>/", sharing_views.open_link, name="link"),
    path("adapters/<slug:slug>/", catalogue_views.adapter_page, name="adapter"),
    path(
        "adapters/<slug:slug>/examples/<int:position>.png", publishing_views.example, name="example"
    ),
    path(
        "adapters/<slug:slug>/examples/<int:position>/report/",
        publishing_views.report,
        name="report",
    ),
    path("adapters/<slug:slug>/fit/", upload_views.fit, name="fit"),
    path("adapters/<slug:slug>/share/", sharing_views.share, name="share"),
    path("adapters/<slug:slug>/publish/", publishing_views.publish, name="publish"),
    path("adapters/<slug:slug>/unpublish/", publishing_views.unpublish, name="unpublish"),
    path("adapters/<slug:slug>/withdraw/", upload_views.withdraw, name="withdraw"),
    path("adapters/<slug:slug>/remove/", upload_views.remove, name="remove"),
]
