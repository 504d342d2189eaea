"""What an image depends on beside its seed and parameters."""

from __future__ import annotations

from importlib.metadata import version

import diffusers
import peft
import torch
import transformers


def library_versions(*, is_fp8: bool) -> dict[str, str]:
    """torchao is among them where it rounded the weights."""
    modules = (torch, diffusers, transformers, peft)
    versions = {module.__name__: str(module.__version__) for module in modules}
    return versions | ({"torchao": version("torchao")} if is_fp8 else {})
