"""Our own client, as a product would use it."""

import base64
import os
from typing import Any

import proofsheet
from loop import serve


def house() -> proofsheet.Client:
    return proofsheet.Client(os.environ["HOUSE"], os.environ["KEY"])


def told(made: proofsheet.Generation) -> dict[str, Any]:
    problem = made.problem()
    return {
        "id": made.id,
        "status": made.status,
        "images": [image.raw for image in made.images],
        "problem": type(problem).__name__ if problem else None,
    }


def generate(**said: Any) -> dict[str, Any]:
    return told(house().generate(**said))


def generate_and_save(path: str, **said: Any) -> dict[str, Any]:
    made = house().generate(**said)
    return told(made) | {"path": str(made.images[0].save(path))}


def paint(picture: str, mask: str, **said: Any) -> dict[str, Any]:
    files = {"picture": base64.b64decode(picture), "mask": base64.b64decode(mask)}
    return told(house().generate(**said | files))


def twice(prompt: str, idempotency_key: str) -> dict[str, Any]:
    one, two = (house().submit(prompt, seed=1, idempotency_key=idempotency_key) for _ in range(2))
    return {"ids": [one.id, two.id]}


def stream(**said: Any) -> dict[str, Any]:
    return {"states": [str(state.status) for state in house().stream(**said)]}


def batch(prompts: list[str]) -> dict[str, Any]:
    return {"made": [told(each) for each in house().batch(prompts, at_once=2, steps=4)]}


def models() -> dict[str, Any]:
    return {"slugs": [model["slug"] for model in house().models()]}


def verify(data: str) -> dict[str, Any]:
    report = house().verify(base64.b64decode(data))
    return {"is_ours": report.is_ours, "verdicts": dict(report.verdicts)}


def appeal_after_refusal(prompt: str, grounds: str) -> dict[str, Any]:
    try:
        house().generate(prompt)
    except proofsheet.Refused as error:
        statement, appeal = house().statement(error), house().appeal(error, grounds)
        again = house().appeals(appeal["id"])
        return {"statement": statement.raw, "appeal": again.raw, "shown": str(error)}
    raise AssertionError("it was not refused")


def webhook(body: str, headers: dict[str, str], secret: str) -> dict[str, Any]:
    event = proofsheet.check_webhook(body.encode(), headers, secret)
    return {"type": event.type, "id": event.id, "data": dict(event.data)}


def nobody(prompt: str) -> dict[str, Any]:
    with proofsheet.Client("http://127.0.0.1:9", "ps_key_none") as closed:
        return told(closed.generate(prompt))


def shown(error: Exception) -> dict[str, Any]:
    names = ("code", "sentence", "advice", "statement_url", "appeal_url", "retry_after_s", "errors")
    return {"shown": str(error)} | {name: getattr(error, name, None) for name in names}


serve(
    {each.__name__: each for each in (
        generate, generate_and_save, paint, twice, stream, batch, models, verify,
        appeal_after_refusal, webhook, nobody,
    )},
    shown,
)  # fmt: skip
