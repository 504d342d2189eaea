"""LiteLLM as a library, with our address as that of any OpenAI."""

import base64
import io
import os
from typing import Any

import litellm
from loop import serve

litellm.suppress_debug_info = True


def house() -> dict[str, str]:
    return {"api_base": f"{os.environ['HOUSE']}/v1", "api_key": os.environ["KEY"]}


def generate(model: str, prompt: str, **said: Any) -> dict[str, Any]:
    made = litellm.image_generation(prompt=prompt, model=f"openai/{model}", **house(), **said)
    return {"images": [each.b64_json for each in made.data]}


def edit(model: str, prompt: str, pictures: list[str], mask: str = "") -> dict[str, Any]:
    file = io.BytesIO(base64.b64decode(pictures[0]))
    said = {"mask": io.BytesIO(base64.b64decode(mask))} if mask else {}
    made = litellm.image_edit(image=file, prompt=prompt, model=f"openai/{model}", **said, **house())
    return {"images": [each.b64_json for each in made.data]}


def shown(error: Exception) -> dict[str, Any]:
    return {"shown": str(error), "status": getattr(error, "status_code", None)}


serve({"generate": generate, "edit": edit}, shown)
