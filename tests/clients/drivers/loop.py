"""What every driver in Python does: one call a line in, one answer a line out, as JSON.

Where to call and with which key comes with each, and stands in the environment meanwhile: some
clients take long to start.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def serve(
    calls: dict[str, Callable[..., Any]], shown: Callable[[Exception], dict[str, Any]]
) -> None:
    """`shown` says what a person sees of what a call raised, and what code can read of it."""
    for line in sys.stdin:
        said = json.loads(line)
        os.environ.update(HOUSE=said.pop("house"), KEY=said.pop("key"))
        try:
            answer = {"ok": True} | calls[said.pop("call")](**said)
        except Exception as error:
            answer = {"ok": False, "kind": type(error).__name__} | shown(error)
        print(json.dumps(answer), flush=True)
