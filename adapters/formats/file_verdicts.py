"""Every verdict on an adapter file: one stable code, one sentence of what is wrong, one of what to
do. Pure.

The documentation page is written from this table: `python -m adapters.formats.file_verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from config.core.errors import ProofsheetError


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What is told of a refused file, under its stable `code`."""

    code: str
    wrong: str
    advice: str


_ROWS = (
    FileVerdict(
        "not_safetensors",
        "The file is not in the safetensors format.",
        "Other formats can carry programs, so they are never opened here. On your own machine, "
        "load the file with torch.load(path, weights_only=True) and save it with "
        "safetensors.torch.save_file.",
    ),
    FileVerdict(
        "header_invalid",
        "The header of the file contradicts itself.",
        "Export the adapter again with a current version of its tool.",
    ),
    FileVerdict(
        "truncated",
        "The file ends before its tensors do.",
        "Upload it again; the copy is not complete.",
    ),
    FileVerdict(
        "empty",
        "The file holds no tensors.",
        "Upload the file that the training run saved.",
    ),
    FileVerdict(
        "too_large",
        "The file is larger than an adapter may be here.",
        "Save it in fp16 or with a lower rank, or ask the operator to raise the limit.",
    ),
    FileVerdict(
        "not_an_adapter",
        "The file holds weights, but none of them is a LoRA's.",
        "This looks like a whole model, a VAE or an embedding. Upload the LoRA itself.",
    ),
    FileVerdict(
        "unsupported_type",
        "The adapter is of a kind that is recognised but not served.",
        "Train it as a plain LoRA, or extract a LoRA of the difference with its tool.",
    ),
    FileVerdict(
        "unsupported_layers",
        "The adapter changes layers that are not served.",
        "Train it on the attention and feed-forward layers only: no convolutions, and of the text "
        "encoders CLIP, not T5.",
    ),
    FileVerdict(
        "unsupported_dtype",
        "The weights are stored as numbers of a kind that is not served.",
        "Save the adapter in fp16, bf16 or fp32.",
    ),
    FileVerdict(
        "unknown_keys",
        "The file names layers that no model here has.",
        "Export it in kohya, diffusers or PEFT naming, for one of the models that the upload page "
        "lists.",
    ),
    FileVerdict(
        "wrong_base_model",
        "The adapter was made for another model.",
        "Choose the model that it was trained on.",
    ),
    FileVerdict(
        "dimension_mismatch",
        "The sizes of the adapter's layers are those of no model here.",
        "Check which model it was trained on; only its own layers have these sizes.",
    ),
    FileVerdict(
        "incomplete_pair",
        "A layer has only one half of its LoRA.",
        "Export the adapter again; each layer needs its down and its up matrix.",
    ),
    FileVerdict(
        "rank_mismatch",
        "The two matrices of a layer disagree about its rank.",
        "Export the adapter again; the file was put together wrongly.",
    ),
    FileVerdict(
        "rank_zero",
        "A layer has rank 0, so it says nothing.",
        "Export the adapter again, or leave that layer out.",
    ),
    FileVerdict(
        "rank_too_high",
        "The adapter's rank is above what the model was loaded for.",
        "Fit it to the model's rank here with one click, or train it with a lower rank.",
    ),
    FileVerdict(
        "duplicate_layer",
        "The file names the same layer twice, in two spellings.",
        "Export the adapter again in one naming.",
    ),
    FileVerdict(
        "alpha_invalid",
        "A layer's alpha, which sets its strength, is no usable number.",
        "Export the adapter again; alpha must be one finite number per layer, "
        "from -1,000,000 to 1,000,000.",
    ),
    FileVerdict(
        "no_model_here",
        "The adapter is sound, but no model of its family is registered here.",
        "Ask the operator to register the model that it was made for.",
    ),
    FileVerdict(
        "check_failed",
        "The check itself failed, through no fault of the file.",
        "Upload it again; if that fails too, tell the operator.",
    ),
    FileVerdict(
        "not_finite",
        "The weights hold NaN or infinity, which would turn every picture black.",
        "The training run diverged: take an earlier checkpoint, or train with a lower rate.",
    ),
)
VERDICTS = {row.code: row for row in _ROWS}


class FileRefused(ProofsheetError):
    """A verdict that refuses; subclasses give its code and take their sentences from the table."""

    default_status: ClassVar[int] = 422

    def __init_subclass__(cls, *, code: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.default_code = code
        cls.default_message = VERDICTS[code].wrong
        cls.default_advice = VERDICTS[code].advice


def page() -> str:
    """The table in Markdown, for docs/use/adapter-verdicts.md."""
    lines = [
        "# Verdicts on adapter files",
        "",
        "Written by `python -m adapters.formats.file_verdicts` from the table that the code uses.",
        "`manage.py inspect_adapter FILE` gives the same verdicts without a server.",
        "",
        "| code | what is wrong | what to do |",
        "|---|---|---|",
    ]
    lines += [f"| `{row.code}` | {row.wrong} | {row.advice} |" for row in _ROWS]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    Path("docs/use/adapter-verdicts.md").write_text(page())
