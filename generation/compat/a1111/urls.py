"""Addresses of `/sdapi/v1/`, at the root of the host: clients replace the whole path."""

from django.urls import path

from generation.compat.a1111 import catalogue_api, picture_api
from generation.compat.openai.entrance import opened

app_name = "a1111"
urlpatterns = [
    path("txt2img", opened(picture_api.TextToImage), name="txt2img"),
    path("img2img", opened(picture_api.ImageToImage), name="img2img"),
    path("progress", opened(picture_api.Progress), name="progress"),
    path("interrupt", opened(picture_api.Interrupt), name="interrupt"),
    path("options", opened(catalogue_api.Options), name="options"),
    path("sd-models", opened(catalogue_api.CheckpointList), name="sd-models"),
    path("loras", opened(catalogue_api.LoraList), name="loras"),
    path("samplers", opened(catalogue_api.SamplerList), name="samplers"),
    path("schedulers", opened(catalogue_api.SchedulerList), name="schedulers"),
    path("png-info", opened(catalogue_api.PngInfo), name="png-info"),
    path("upscalers", opened(catalogue_api.EmptyList), name="upscalers"),
    path("latent-upscale-modes", opened(catalogue_api.EmptyList), name="latent-upscale-modes"),
    path("sd-vae", opened(catalogue_api.EmptyList), name="sd-vae"),
    path("scripts", opened(catalogue_api.ScriptList), name="scripts"),
]
