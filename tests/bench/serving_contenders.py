"""The servers that the serving benchmark compares, each in a process of its own.

    python -m tests.bench.serving_contenders naive 8001 FOLDER

All answer POST /predict with {"prompt", "steps", "seed", "adapter"} by the mean of the pixels:
denoised and decoded, but neither encoded nor stored. Each has one torch thread.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from generation.engine.jobs import AdapterUse, RenderJob
from generation.engine.loading.loaded_model import Settings
from generation.engine.loop.engine import Engine
from tests.bench.serving_model import RANK, SIDE, adapter_path

Call = dict[str, Any]
Answer = Callable[[Call], float]
BATCH = 8
FEW_STEPS = 4  # as the interactive tier has it


def pipeline(folder: Path) -> Any:
    torch.set_num_threads(1)
    load: Any = StableDiffusionPipeline.from_pretrained
    pipe = load(folder, safety_checker=None, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def run(pipe: Any, calls: list[Call]) -> list[float]:
    """One call of diffusers' pipeline for `calls` with equal steps."""
    images = pipe(
        prompt=[call["prompt"] for call in calls],
        num_inference_steps=calls[0]["steps"],
        guidance_scale=1.0,
        generator=[torch.Generator().manual_seed(call["seed"]) for call in calls],
        output_type="np",
    ).images
    pixels = (images * 255).round().astype(np.uint8)
    return [float(image.mean()) for image in pixels]


def naive(folder: Path) -> Answer:
    """One request at a time, no adapters: the way most people serve."""
    pipe, lock = pipeline(folder), Lock()

    def answer(call: Call) -> float:
        with lock:
            return run(pipe, [call])[0]

    return answer


def load_unload(folder: Path) -> Answer:
    """Each request loads its adapter and unloads it afterwards."""
    pipe, lock = pipeline(folder), Lock()

    def answer(call: Call) -> float:
        with lock:
            load_adapter(pipe, folder, call["adapter"], name="a")
            made = run(pipe, [call])[0]
            pipe.unload_lora_weights()
            return made

    return answer


def hotswap(folder: Path) -> Answer:
    """Each request swaps its adapter's weights into the one that is loaded."""
    pipe, lock = pipeline(folder), Lock()
    pipe.enable_lora_hotswap(target_rank=RANK)
    load_adapter(pipe, folder, 0, name="a")

    def answer(call: Call) -> float:
        with lock:
            load_adapter(pipe, folder, call["adapter"], name="a", hotswap=True)
            return run(pipe, [call])[0]

    return answer


def resident(folder: Path) -> Answer:
    """All adapters stay loaded; each request selects its own."""
    pipe, lock = pipeline(folder), Lock()
    for number in range(len(list(folder.glob("a*.safetensors")))):
        load_adapter(pipe, folder, number, name=f"a{number}")

    def answer(call: Call) -> float:
        with lock:
            pipe.set_adapters([f"a{call['adapter']}"], [1.0])
            return run(pipe, [call])[0]

    return answer


def load_adapter(pipe: Any, folder: Path, number: int, *, name: str, **options: Any) -> None:
    path = adapter_path(folder, number)
    pipe.load_lora_weights(str(folder), weight_name=path.name, adapter_name=name, **options)


def ours(folder: Path) -> Answer:
    count = max(1, len(list(folder.glob("a*.safetensors"))))
    settings = Settings(
        batch_sizes=tuple(range(1, BATCH + 1)),
        adapter_slots=count,
        rank_ceiling=RANK,
        previews=0,
        is_channels_last=True,  # as the workers' settings have it
        flat_folder=folder / "flat",
    )
    engine = Engine.load(folder, settings=settings, device="cpu")

    def answer(call: Call) -> float:
        return float(engine.submit(job(folder, call)).future.result().pixels.mean())

    return answer


def job(folder: Path, call: Call) -> RenderJob:
    number = call.get("adapter")
    adapters = (
        () if number is None else (AdapterUse(f"a{number}", adapter_path(folder, number), 1.0),)
    )
    return RenderJob(
        prompt=call["prompt"],
        negative_prompt="",
        steps=call["steps"],
        guidance=1.0,
        seed=call["seed"],
        width=SIDE,
        height=SIDE,
        native_size=SIDE,
        adapters=adapters,
        is_interactive=call["steps"] <= FEW_STEPS,
    )


CONTENDERS = {
    "naive": naive,
    "load_unload": load_unload,
    "hotswap": hotswap,
    "resident": resident,
    "ours": ours,
}


def serve(answer: Answer, port: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._reply({"status": "ok"})

        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply({"mean": answer(call)})

        def _reply(self, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    serve(CONTENDERS[sys.argv[1]](Path(sys.argv[3])), int(sys.argv[2]))
