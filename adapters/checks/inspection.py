"""Judges an adapter file: header, naming, model, ranks, numbers. Knows no database row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapters.checks import layer_checks, rank_limit, weight_scan
from adapters.checks.inspection_report import InspectionReport
from adapters.checks.layer_checks import Module
from adapters.checks.weight_scan import Progress
from adapters.formats import safetensors_header as headers
from adapters.formats import stated_base_model
from adapters.formats.detection import Recognised, recognise
from adapters.formats.file_verdicts import FileRefused
from adapters.formats.lora_config import PeftSettings
from adapters.formats.safetensors_header import Header
from adapters.formats.target_modules import FAMILY_NAMES, Layout, of_family
from adapters.formats.unserved_architectures import listed


class TooLarge(FileRefused, code="too_large"):
    """Above the byte limit."""


@dataclass(frozen=True, slots=True)
class Base:
    """The model that a file is held against; `rank_ceiling` None accepts every rank."""

    name: str
    layout: Layout
    rank_ceiling: int | None = None

    @classmethod
    def of_family(cls, family: str) -> Base:
        return cls(FAMILY_NAMES[family], of_family(family))


@dataclass(frozen=True, slots=True)
class Inspection:
    """`modules` are empty when the file was refused before they were known."""

    report: InspectionReport
    header: Header | None
    modules: tuple[Module, ...]


def inspect(
    path: Path,
    *,
    base: Base | None = None,
    limit_bytes: int | None = None,
    sha256: str = "",
    progress: Progress | None = None,
) -> Inspection:
    """Never raises a verdict: the report carries it. A refusal in the header reads nothing else.

    `sha256`: the file's digest where it is known; else it is taken here.
    """
    run = _Run(path, base, InspectionReport(bytes=path.stat().st_size), sha256, progress)
    try:
        if limit_bytes is not None and run.report.bytes > limit_bytes:
            raise TooLarge(
                message=f"The file has {run.report.bytes:,} bytes; {limit_bytes:,} are allowed."
            )
        run.read_header()
        run.read_numbers()
    except FileRefused as refusal:
        run.report.code = refusal.code
        run.report.message, run.report.advice = refusal.message, refusal.advice
    else:
        run.report.accepted = True
        run.report.message = run.sentence()
    return Inspection(run.report, run.header, run.modules)


class _Run:
    """One inspection: what is known so far."""

    def __init__(
        self,
        path: Path,
        base: Base | None,
        report: InspectionReport,
        sha256: str,
        progress: Progress | None,
    ) -> None:
        self.path, self.base, self.report, self.progress = path, base, report, progress
        self.sha256 = sha256
        self.header: Header | None = None
        self.modules: tuple[Module, ...] = ()

    def read_header(self) -> None:
        """All that names, shapes and alphas can tell."""
        self.header = headers.read_file(self.path)
        self.report.see_header(self.header)
        found = recognise(self.header, base=self.base.layout if self.base else None)
        self.report.format, self.report.families = found.format, found.families
        self.report.family = self._family(found)
        self._hear(found, self.header)
        base_name = self.base.name if self.base else ""
        layer_checks.check_architecture(found, base_name=base_name)
        layer_checks.check_shapes(found)
        layer_checks.check_model(found, base_name=base_name)
        self.modules = layer_checks.modules_of(
            found, alphas=self._alphas(found, self.header), settings=self._settings(self.header)
        )
        self.report.see_modules(self.modules)
        layer_checks.check_served(self.modules)
        rank_limit.check_work(self.modules)
        if self.base is not None and self.base.rank_ceiling is not None:
            self.report.resident_mib = _resident_mib(self.modules, self.base.rank_ceiling)
            rank_limit.check_rank(self.modules, ceiling=self.base.rank_ceiling)

    def read_numbers(self) -> None:
        assert self.header is not None, "read_header came first"
        scan = weight_scan.scan(self.path, self.header, sha256=self.sha256, progress=self.progress)
        self.report.sha256 = scan.sha256
        scan.check()
        layer_checks.check_range(self.modules, norms=scan.norms)
        self.report.see_numbers(self.modules, scan)

    def sentence(self) -> str:
        ranks = set(self.report.rank_by_module.values())
        rank = f"rank {max(ranks)}" if len(ranks) == 1 else f"ranks {min(ranks)} to {max(ranks)}"
        fits = self.base.name if self.base else FAMILY_NAMES[self.report.family or "starter"]
        count = len(self.report.rank_by_module)
        layers = "one layer" if count == 1 else f"{count} layers"
        return f"A LoRA of {rank} in {layers} that fits {fits}."

    def _family(self, found: Recognised) -> str | None:
        """By what fits as a whole: the base's own family first. Otherwise what comes closest."""
        if found.is_foreign:
            return None
        if self.base is not None and found.best.is_whole:
            return self.base.layout.family
        if found.families:
            if len(found.families) > 1:
                names = ", ".join(FAMILY_NAMES[family] for family in found.families)
                self.report.warnings.append(f"Its layers fit several families: {names}.")
            return found.families[0]
        return found.likeliest.layout.family if found.likeliest.score[0] else None

    def _hear(self, found: Recognised, header: Header) -> None:
        """Warn where the layers leave the model open, or the metadata says another."""
        said = stated_base_model.said_model(header.metadata)
        fits = FAMILY_NAMES.get(self.report.family or "", "")
        if found.is_foreign or not fits or not (found.families or found.best.is_whole):
            return
        fitting = [self.report.family or "", *found.families]
        if said and not any(said.fits(family) for family in fitting):
            self.report.warnings.append(
                f"Its metadata says that it was trained for {said.title} "
                f"({said.where}: {said.value}), "
                f"but its layers fit {fits}, as which it is read here. If the metadata is right, "
                "it will not do what it was trained for."
            )
            return
        rivals = found.alike.rivals(found.families)
        if rivals and found.alike.is_whole and not said:
            self.report.warnings.append(
                f"Its layers are also those of {listed(rivals)}; nothing in the file tells for "
                "which it was trained."
            )

    def _alphas(self, found: Recognised, header: Header) -> dict[str, float]:
        tensors = [parts.alpha for parts in found.parts.values() if parts.alpha is not None]
        with self.path.open("rb") as file:
            return {
                tensor.name: weight_scan.read_scalar(file, header, tensor) for tensor in tensors
            }

    def _settings(self, header: Header) -> PeftSettings:
        settings = PeftSettings.of(header.metadata)
        if settings.said:
            self.report.warnings.append(
                "Its strength is taken from the PEFT settings in the file's metadata."
            )
        return settings


def _resident_mib(modules: tuple[Module, ...], ceiling: int) -> float:
    """Size in an adapter slot: every layer padded to the ceiling, two bytes a number."""
    sides = sum(
        layer.inputs + layer.outputs for module in modules for layer in module.target.layers
    )
    return sides * ceiling * 2 / 2**20
