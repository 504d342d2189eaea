"""Addresses of the API of requests, images and models."""

from django.urls import path

from generation import api, image_api

app_name = "generation-api"
urlpatterns = [
    path("generations/", api.Generations.as_view(), name="generations"),
    path("generations/estimate/", api.Estimate.as_view(), name="estimate"),
    path("generations/<uuid:request_id>/", api.Generation.as_view(), name="generation"),
    path("generations/<uuid:request_id>/cancel/", api.Cancel.as_view(), name="cancel"),
    path("images/", image_api.Images.as_view(), name="images"),
    path("images/<uuid:image_id>/", image_api.Image.as_view(), name="image"),
    path("images/<uuid:image_id>/file/", image_api.ImageFile.as_view(), name="image-file"),
    path("models/", api.Models.as_view(), name="models"),
]
