"""LitServe as a contender: batches of eight requests, one call of the pipeline for each number of
steps in a batch. Runs in an environment that has LitServe (requirements-bench.txt).

    python -m tests.bench.serving_litserve 8002 FOLDER
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import litserve  # type: ignore[import-not-found]  # it has an environment of its own

from tests.bench.serving_contenders import BATCH, Call, pipeline, run


class Diffusion(litserve.LitAPI):  # type: ignore[misc]  # LitServe is no part of the typed environment
    def __init__(self, folder: Path) -> None:
        super().__init__(max_batch_size=BATCH, batch_timeout=0.01)
        self.folder = folder

    def setup(self, device: str) -> None:
        self.pipe = pipeline(self.folder)

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # LitServe reads annotations
        return request

    def predict(self, calls: list[Call]) -> list[float]:
        by_steps: dict[int, list[int]] = defaultdict(list)
        for index, call in enumerate(calls):
            by_steps[call["steps"]].append(index)
        made = [0.0] * len(calls)
        for indices in by_steps.values():
            means = run(self.pipe, [calls[i] for i in indices])
            for index, mean in zip(indices, means, strict=True):
                made[index] = mean
        return made

    def encode_response(self, output: float) -> dict[str, Any]:
        return {"mean": output}


if __name__ == "__main__":
    server = litserve.LitServer(
        Diffusion(Path(sys.argv[2])), accelerator="cpu", timeout=600, track_requests=False
    )
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="error"
    )
