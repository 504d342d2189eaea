"""webuiapi, a client of AUTOMATIC1111's web UI."""

import base64
import io
import os
from typing import Any
from urllib.parse import urlsplit

import webuiapi
from loop import serve
from PIL import Image


def connected() -> Any:
    place = urlsplit(os.environ["HOUSE"])
    said = {"host": place.hostname, "port": place.port, "username": "x"}
    return webuiapi.WebUIApi(**said, password=os.environ["KEY"])


def made(answer: Any) -> dict[str, Any]:
    files = [io.BytesIO() for _ in answer.images]
    for image, file in zip(answer.images, files, strict=True):
        image.save(file, "PNG")
    return {
        "sizes": [list(image.size) for image in answer.images],
        "pictures": [base64.b64encode(file.getvalue()).decode() for file in files],
        "info": answer.info,
    }


def txt2img(**said: Any) -> dict[str, Any]:
    return made(connected().txt2img(**said))


def img2img(picture: str, mask: str | None = None, **said: Any) -> dict[str, Any]:
    if mask is not None:
        said["mask_image"] = opened(mask)
    return made(connected().img2img(images=[opened(picture)], **said))


def opened(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data)))


def lists() -> dict[str, Any]:
    client = connected()
    return {
        "models": [each["title"] for each in client.get_sd_models()],
        "samplers": [each["name"] for each in client.get_samplers()],
        "options": client.get_options(),
    }


def shown(error: Exception) -> dict[str, Any]:
    return {"shown": str(error)}


serve({"txt2img": txt2img, "img2img": img2img, "lists": lists}, shown)
