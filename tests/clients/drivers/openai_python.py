"""openai-python, unmodified; the same driver for its newest version and for a 1.x."""

import base64
import os
from typing import Any

import openai
from loop import serve


def connected() -> Any:
    return openai.OpenAI(base_url=f"{os.environ['HOUSE']}/v1", api_key=os.environ["KEY"])


def made(answer: Any) -> dict[str, Any]:
    said: dict[str, Any] = answer.model_dump(mode="json")
    return said | {"request_id": answer._request_id}


def version() -> dict[str, Any]:
    return {"version": openai.__version__}


def generate(**said: Any) -> dict[str, Any]:
    return made(connected().images.generate(**said))


def headers(**said: Any) -> dict[str, Any]:
    return {"headers": dict(connected().images.with_raw_response.generate(**said).headers)}


def edit(pictures: list[str], mask: str | None = None, **said: Any) -> dict[str, Any]:
    if mask is not None:
        said["mask"] = ("mask.png", base64.b64decode(mask), "image/png")
    files = [(f"{n}.png", base64.b64decode(each), "image/png") for n, each in enumerate(pictures)]
    return made(connected().images.edit(image=files[0] if len(files) == 1 else files, **said))


def stream(**said: Any) -> dict[str, Any]:
    sent = connected().images.generate(stream=True, **said)
    return {"events": [each.model_dump(mode="json") for each in sent]}


def models() -> dict[str, Any]:
    return {"ids": [model.id for model in connected().models.list()]}


def model(name: str) -> dict[str, Any]:
    return {"id": connected().models.retrieve(name).id}


def moderate(input: Any) -> dict[str, Any]:
    # the names of its own attributes are not those that are sent
    said: dict[str, Any] = connected().moderations.create(input=input).model_dump(by_alias=True)
    return said


def unwrap(body: str, headers: dict[str, str], secret: str) -> dict[str, Any]:
    receiver: Any = openai.OpenAI(api_key="none", webhook_secret=secret)
    return {"type": receiver.webhooks.unwrap(body, headers).type}


def shown(error: Exception) -> dict[str, Any]:
    body = getattr(error, "body", None)
    return {
        "shown": str(error),
        "code": getattr(error, "code", None),
        "status": getattr(error, "status_code", None),
        "body": body if isinstance(body, dict) else {},
    }


serve(
    {each.__name__: each for each in (
        version, generate, headers, edit, stream, models, model, moderate, unwrap,
    )},
    shown,
)  # fmt: skip
