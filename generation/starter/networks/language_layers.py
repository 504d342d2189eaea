"""The layers that the starter model has above the pretrained encoder: stock BERT layers.

They read the encoder's states and say what the U-Net understands. While they train, a text is its
real tokens and one pad, which stands for all of them; the pipeline pads to `LENGTH`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertLayer

from generation.starter.networks.text_encoder import LENGTH, WIDTH

LAYERS = 2


class LanguageLayers(nn.Module):
    """`count` layers of the encoder's own shape."""

    def __init__(self, count: int = LAYERS, *, dropout: float = 0.05) -> None:
        super().__init__()
        config = BertConfig(
            hidden_size=WIDTH, num_attention_heads=12, intermediate_size=4 * WIDTH,
            attention_probs_dropout_prob=0.0, hidden_dropout_prob=dropout,
        )  # fmt: skip
        config._attn_implementation = "sdpa"
        self.layers = nn.ModuleList(BertLayer(config) for _ in range(count))
        for name, weight in self.layers.named_parameters():
            if name.endswith("dense.weight"):
                nn.init.normal_(weight, std=0.03)

    def forward(self, states: Tensor, is_real: Tensor, lengths: Tensor) -> Tensor:
        """States [N, L, 384] with the tokens that are real, and how many, to [N, 24, 384]."""
        mask = (~is_real)[:, None, None, :].to(states.dtype) * -1e4
        for layer in self.layers:
            states = layer(states, attention_mask=mask)
        at = torch.minimum(torch.arange(LENGTH)[None], lengths[:, None])
        return states.gather(1, at[..., None].expand(-1, -1, WIDTH))
