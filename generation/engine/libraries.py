"""What an image depends on beside its seed and parameters."""

from __future__ import annotations

import diffusers
import peft
import torch
import transformers


def library_versions() -> dict[str, str]:
    modules = (torch, diffusers, transformers, peft)
    return {module.__name__: str(module.__version__) for module in modules}
