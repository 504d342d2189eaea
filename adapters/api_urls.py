"""Addresses of the adapters' API, below /api/v1/."""

from django.urls import path

from adapters.catalogue import adapter_api

urlpatterns = [
    path("adapters/", adapter_api.AdapterList.as_view(), name="api-adapters"),
    path("adapters/<slug:slug>/", adapter_api.AdapterDetail.as_view(), name="api-adapter"),
    path("adapters/<slug:slug>/fit/", adapter_api.AdapterFit.as_view(), name="api-adapter-fit"),
]
