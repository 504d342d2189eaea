"""Addresses of `/v1/`, spelt as OpenAI's clients spell them: without a slash at the end."""

from django.urls import path

from generation.compat.openai import image_api, model_api, moderation_api
from generation.compat.openai.entrance import opened

app_name = "openai"
urlpatterns = [
    path("images/generations", opened(image_api.ImageGenerations), name="generations"),
    path("images/edits", opened(image_api.ImageEdits), name="edits"),
    path("images/variations", opened(image_api.ImageVariations), name="variations"),
    path("images/files/<str:token>", image_api.picture, name="picture"),
    path("images/cards/<str:token>", image_api.card, name="card"),
    path("moderations", opened(moderation_api.Moderations), name="moderations"),
    path("models", opened(model_api.ListedModels), name="models"),
    path("models/<str:name>", opened(model_api.ListedModel), name="model"),
]
