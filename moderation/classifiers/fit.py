"""Fit the heads of the prompt classifier: logistic regression with an L2 penalty, full batch.

    python -m moderation.classifiers.fit tests/moderation/prompts/{tuning,pairs/tuning}

Reads ``ordinary.txt`` and ``refused.txt`` of each folder (a line ``# group`` names the category of
the lines after it), ``examples.json`` and ``captions.txt`` beside this file, and writes
``heads.safetensors``. The same inputs give the same file.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from moderation.classifiers import heads, sentences
from moderation.policy.rulebook.prompt_readings import canonical, decoded

HERE = Path(__file__).parent
ORDINARY = "ordinary"
CAPTION_WEIGHT = 0.3  # they are many and short
L2 = 3e-5
BATCH = 32

Example = tuple[str, str, float]  # text, label, weight


def read_groups(path: Path) -> list[tuple[str, str]]:
    """(group, text) of each line of a prompt file."""
    group, found = "", []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            group = line[2:]
        elif line:
            found.append((group, line))
    return found


def examples(*folders: Path) -> list[Example]:
    """All texts to fit on, with the label and the weight of each."""
    ordinary = [(t, ORDINARY, 1.0) for f in folders for _, t in read_groups(f / "ordinary.txt")]
    refused = [(text, g, 1.0) for f in folders for g, text in read_groups(f / "refused.txt")]
    groups = json.loads((HERE / "examples.json").read_text(encoding="utf-8"))
    more = [(text, label, 1.0) for label, texts in groups.items() for text in texts]
    captions = [(text, ORDINARY, CAPTION_WEIGHT) for _, text in read_groups(HERE / "captions.txt")]
    return [*ordinary, *refused, *more, *captions]


def embed(texts: list[str]) -> torch.Tensor:
    """Unit sentence vectors of canonical texts, float32[len(texts), 384]."""
    plain = [decoded(canonical(text)).text for text in texts]
    starts = range(0, len(plain), BATCH)
    return torch.cat([sentences.model().embed(plain[i : i + BATCH]) for i in starts])


def fit(
    vectors: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """`vectors` float32[n, 384], `targets` float32[n, c] of 0 and 1; gives weight and bias."""
    weight = torch.zeros(targets.shape[1], vectors.shape[1], requires_grad=True)
    bias = torch.full((targets.shape[1],), -3.0, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=400, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = vectors @ weight.T + bias
        fault = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, targets, weight=weights[:, None], reduction="sum"
        )
        total: torch.Tensor = fault / weights.sum() + L2 * (weight**2).sum()
        total.backward()
        return total

    optimiser.step(loss)
    return weight.detach(), bias.detach()


def main(*folders: Path) -> None:
    """Fit the heads on folders of prompts and write them beside this module."""
    rows = examples(*folders)
    labels = sorted({label for _, label, _ in rows} - {ORDINARY})
    targets = torch.tensor([[float(label == name) for name in labels] for _, label, _ in rows])
    weights = torch.tensor([weight for _, _, weight in rows])
    weight, bias = fit(embed([text for text, _, _ in rows]), targets, weights)
    tensors = {"weight": weight.contiguous(), "bias": bias.contiguous()}
    save_file(tensors, heads.PATH, metadata={"labels": ",".join(labels)})
    print(f"{heads.PATH.name}: {len(labels)} categories from {len(rows)} texts, {heads.version()}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
