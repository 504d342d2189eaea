"""What an inspection found, as the command prints it and as pages show it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from statistics import median
from typing import Any

from adapters.checks.layer_checks import Module
from adapters.checks.weight_scan import Scan
from adapters.formats.safetensors_header import Header
from moderation.policy.rulebook.characters import visible

OUTLIER_RATIO = 25.0
SHOWN_METADATA = (
    "ss_base_model_version", "ss_sd_model_name", "ss_network_module", "ss_network_dim",
    "ss_network_alpha", "ss_output_name", "ss_num_train_images", "ss_epoch",
    "modelspec.architecture", "modelspec.title", "software",
)  # fmt: skip


@dataclass(slots=True)
class InspectionReport:
    """Filled in step by step; what a refusal came before stays empty."""

    accepted: bool = False
    code: str | None = None
    message: str = ""
    advice: str = ""
    format: str = "unknown"
    family: str | None = None
    rank_by_module: dict[str, int] = field(default_factory=dict)
    alpha: dict[str, float] = field(default_factory=dict)
    targets: dict[str, int] = field(default_factory=dict)
    tensors: int = 0
    parameters: int = 0
    bytes: int = 0
    dtypes: tuple[str, ...] = ()
    sha256: str = ""
    warnings: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    resident_mib: float = 0.0
    families: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        return max(self.rank_by_module.values(), default=0)

    def as_json(self) -> dict[str, Any]:
        """The shape that the command prints."""
        ranks = self.rank_by_module.values()
        return {
            "accepted": self.accepted,
            "code": self.code,
            "message": self.message,
            "advice": self.advice,
            "format": self.format,
            "family": self.family,
            "rank": {
                "max": max(ranks, default=0),
                "min": min(ranks, default=0),
                "by_module": self.rank_by_module,
            },
            "alpha": self.alpha,
            "targets": self.targets,
            "tensors": self.tensors,
            "parameters": self.parameters,
            "bytes": self.bytes,
            "dtypes": list(self.dtypes),
            "sha256": self.sha256,
            "warnings": self.warnings,
        }

    def as_stored(self) -> dict[str, Any]:
        """The same and what else the page shows; small enough for a database row."""
        return self.as_json() | {
            "metadata": self.metadata,
            "resident_mib": round(self.resident_mib, 1),
            "families": list(self.families),
        }

    def see_header(self, header: Header) -> None:
        self.tensors = len(header.tensors)
        self.dtypes = tuple(sorted({tensor.dtype for tensor in header.tensors}))
        self.metadata = {
            name: _shown(header.metadata[name])
            for name in SHOWN_METADATA
            if name in header.metadata
        }

    def see_modules(self, modules: tuple[Module, ...]) -> None:
        layers = [(layer, module) for module in modules for layer in module.target.layers]
        self.rank_by_module = {layer.name: module.rank for layer, module in layers}
        for layer, _ in layers:
            self.targets[layer.component] = self.targets.get(layer.component, 0) + 1
        self.parameters = sum(module.parameters for module in modules)
        for kind in sorted({module.kind for module in modules} - {"LoRA"}):
            most = max(module.rank for module in modules if module.kind == kind)
            self.warnings.append(
                f"It is a {kind}, and is served as the LoRA of rank {most} that is equal to it."
            )
        if beside := sorted({name for module in modules for name in module.vectors}):
            self.warnings.append(
                f"It is served with what stands beside its matrices: {', '.join(beside)}."
            )
        alphas = [module.alpha for module in modules]
        scalings = [module.scaling for module in modules]
        missing = sum(module.is_alpha_missing for module in modules)
        self.alpha = {
            "min": min(alphas),
            "max": max(alphas),
            "scaling_min": min(scalings),
            "scaling_max": max(scalings),
            "missing": missing,
        }
        if missing:
            self.warnings.append(
                f"For {missing} of {len(modules)} layers the file names no alpha, so it is taken "
                "to be the rank: full strength."
            )
        if turned := sum(scaling < 0 for scaling in scalings):
            self.warnings.append(
                f"For {turned} of {len(modules)} layers alpha is negative, so they work the other "
                "way round: less of what was trained, as with a negative weight."
            )

    def see_numbers(self, modules: tuple[Module, ...], scan: Scan) -> None:
        """Warn of layers whose change is far larger than the others', and of none at all."""
        sizes = {module.target.layers[0].name: module.change(scan.norms) for module in modules}
        usual = median(sizes.values())
        if all(module.is_idle(scan.norms) for module in modules):
            has_scale = any(module.scaling for module in modules)
            why = "Its matrices are zero" if has_scale else "Every alpha is 0"
            self.warnings.append(f"{why}, so the adapter changes nothing.")
        for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:5]:
            if usual and isfinite(size) and size > OUTLIER_RATIO * usual:
                self.warnings.append(
                    f"{name} changes {size / usual:.0f} times as much as the middle layer; lower "
                    "the weight if pictures come out burnt."
                )


def _shown(text: str) -> str:
    """What can be seen of it, and short: metadata is anybody's text."""
    return visible(text)[:200]
