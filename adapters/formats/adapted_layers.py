"""Which layers of a model take adapters, by the names of diffusers' and transformers' modules.

The engine lays its slots out by this table and an upload is held against it, so that none is
refused for a layer that has a slot, and none is accepted for one that has none (docs/adr/0095).
"""

from __future__ import annotations

import re

_ATTENTION = r"\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)$"
_FEED_FORWARD = r"\.(ff|ff_context)\.net\.(0\.proj|2)$|\.feed_forward\.w[123]$"
_PROJECTIONS = r"(^|\.)(proj_in|proj_out|proj_mlp)$"
_MODULATIONS = r"\.(norm|norm1|norm1_context)\.linear$|\.adaLN_modulation\.[01]$"
_OUTSIDE_THE_BLOCKS = (
    r"^(x_embedder|context_embedder)$|^time_text_embed\..*linear_[12]$|^norm_out\.linear$"
    r"|^all_x_embedder\.2-1$|^all_final_layer\.2-1\.linear$|^(cap_embedder\.1|t_embedder\.mlp\.[02])$"
)
_CLIP = r"\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)$"
# Most trainers change the first only, and what they change together lies together in a slot.
_PATTERNS: dict[str, tuple[str, ...]] = {
    "unet": (_ATTENTION, _FEED_FORWARD, _PROJECTIONS),
    "transformer": (
        _ATTENTION,
        _FEED_FORWARD,
        _PROJECTIONS,
        _MODULATIONS,
        _OUTSIDE_THE_BLOCKS,
    ),
    "text_encoder": (_CLIP,),
    "text_encoder_2": (_CLIP,),
}


def patterns_of(component: str) -> tuple[str, ...]:
    """Of the paths in "unet", "transformer", "text_encoder" or "text_encoder_2", in the order in
    which their layers lie in a slot."""
    return _PATTERNS[component]


def takes_adapters(component: str, path: str, *, kernel: int) -> bool:
    """Whether a linear layer (`kernel` 0) or a convolution of that side at `path` does."""
    return kernel <= 1 and any(re.search(p, path) for p in patterns_of(component))
