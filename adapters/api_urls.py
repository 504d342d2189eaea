"""Addresses of the adapters' API, below /api/v1/."""

from django.urls import path

from adapters import api

urlpatterns = [
    path("adapters/", api.AdapterList.as_view(), name="api-adapters"),
    path("adapters/<slug:slug>/", api.AdapterDetail.as_view(), name="api-adapter"),
    path("adapters/<slug:slug>/fit/", api.AdapterFit.as_view(), name="api-adapter-fit"),
]
