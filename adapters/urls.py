"""Addresses of the adapter catalogue."""

from django.urls import path

from adapters import views

app_name = "adapters"
urlpatterns = [
    path("adapters/", views.catalogue_page, name="list"),
    path("adapters/<slug:slug>/", views.adapter_page, name="adapter"),
]
