"""Tells an adapter's naming and family from the names and shapes in its header. Pure.

Metadata is hearsay: it decides nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.formats import key_parser, target_modules, unserved_architectures, unserved_kinds
from adapters.formats.key_parser import Stem
from adapters.formats.safetensors_header import Header, Tensor
from adapters.formats.target_modules import Layout, Target
from adapters.formats.unserved_architectures import Likeness, Size

Judged = list[tuple[tuple[str, ...], Size | None]]  # spellings of a name, and sizes in and out
FORMATS = {
    "kohya": "kohya",
    "kohya-ldm": "kohya with the names of the original Stable Diffusion code",
    "diffusers": "diffusers",
    "diffusers-old": "diffusers, before it used PEFT",
    "peft": "PEFT",
    "bfl": "the names of the original Flux code",  # in reports of before there were others
    "original": "the names of the model's original code",
    "xlabs": "XLabs",
    "fused": "diffusers, with fused projections",
    "ldm": "the names of the original Stable Diffusion code",
    "unknown": "unknown",
}


@dataclass(slots=True)
class LoraParts:
    """The tensors of one layer as the file names it."""

    stem: str
    writer: str = ""
    down: Tensor | None = None
    up: Tensor | None = None
    alpha: Tensor | None = None
    others: dict[str, list[Tensor]] = field(default_factory=dict)
    adapters: set[str] = field(default_factory=set)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Both halves, or the matrices of another kind by their own names; what is incomplete is
        refused by `layer_checks.check_shapes`."""
        if self.down is not None and self.up is not None:
            return {"down": self.down, "up": self.up}
        parts = [tensor for tensors in self.others.values() for tensor in tensors]
        return {part.name.rsplit(".", 1)[-1]: part for part in parts}

    @property
    def is_transposed(self) -> bool:
        """MLX's matrices are [in, r] and [r, out], and their names end without `weight`."""
        if self.writer != "bare" or self.down is None or self.up is None:
            return False
        if len(self.down.shape) != 2 or len(self.up.shape) != 2:
            return False
        (inputs, rank), (too, outputs) = self.down.shape, self.up.shape
        return rank == too and rank < min(inputs, outputs)

    @property
    def size(self) -> Size | None:
        """Numbers in and out, where the tensors tell them."""
        if self.down is None or self.up is None:
            return unserved_kinds.size_of({n: part.shape for n, part in self.tensors.items()})
        if len(self.down.shape) < 2 or len(self.up.shape) < 2:
            return None
        if self.is_transposed:
            return self.down.shape[0], self.up.shape[1]
        return self.down.shape[1], self.up.shape[0]

    def fits(self, target: Target) -> bool:
        """Whether the matrices have the layer's sizes; 1 x 1 sides count for nothing, and other
        kinds may count each place of a larger kernel as an input."""
        if self.others and self.down is None and self.up is None:
            if self.size is None:  # the kinds that are served tell it
                return not all(unserved_kinds.BY_NAME[kind].is_sized for kind in self.others)
            inputs, outputs = self.size
            taken = (target.inputs, target.inputs * max(target.kernel, 1) ** 2)
            return inputs in taken and outputs == target.outputs
        if self.down is None or self.up is None or not (self.down.shape and self.up.shape):
            return False
        if self.is_transposed:
            return self.size == (target.inputs, target.outputs)
        inner = (target.inputs, *(2 * [target.kernel] if target.kernel > 1 else []))
        return squeezed(self.down)[1:] == inner and squeezed(self.up)[:1] == (target.outputs,)


def squeezed(tensor: Tensor) -> tuple[int, ...]:
    """The shape without the 1 x 1 that a pointwise convolution's matrix ends in."""
    return tensor.shape[:2] if tensor.shape[2:] == (1, 1) else tensor.shape


@dataclass(frozen=True, slots=True)
class LayerMatch:
    """A file against one layout: which stems lead to which target, and which lead nowhere."""

    layout: Layout
    targets: dict[str, Target]
    unknown: tuple[str, ...]
    misfits: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return bool(self.targets) and not self.unknown and not self.misfits

    @property
    def score(self) -> tuple[int, int]:
        return len(self.targets) - len(self.misfits), len(self.targets)


@dataclass(frozen=True, slots=True)
class Recognised:
    """`foreign` are names that belong to no adapter; `kinds` counts tensors of other kinds;
    `adapters` are PEFT's names of adapters; `alike` tells which architecture that is not served has
    such layers, and `ours` how many of them a model here has."""

    format: str
    parts: dict[str, LoraParts]
    kinds: dict[str, int]
    foreign: tuple[str, ...]
    adapters: frozenset[str]
    best: LayerMatch
    families: tuple[str, ...]
    likeliest: LayerMatch
    alike: Likeness
    ours: int

    @property
    def is_foreign(self) -> bool:
        """Whether another architecture explains more than half of the file, and more than any model
        here does."""
        return self.alike.explained > self.ours and 2 * self.alike.explained > self.alike.total


def recognise(header: Header, *, base: Layout | None = None) -> Recognised:
    """The header's layers, matched against `base` where one is given, else against the family that
    fits best (`likeliest`). `families` holds every family that the file fits as a whole."""
    parts, others, strange = group(header.tensors)
    stems = {stem: key_parser.read_stem(stem) for stem in parts}
    known = [target_modules.of_family(family) for family in target_modules.FAMILIES]
    matches = [match(parts, stems, layout) for layout in known]
    whole = tuple(found.layout.family for found in matches if found.is_whole)
    likeliest = max(matches, key=lambda found: found.score)
    best = match(parts, stems, base) if base else likeliest
    known += [base] if base else []
    judged = _judged(parts, stems)
    ours = max(_explained(layout, judged) for layout in known)
    naming_of = max(best, likeliest, key=lambda found: found.score)
    return Recognised(
        _format(parts, stems, naming_of),
        parts,
        others,
        strange,
        frozenset(name for layer in parts.values() for name in layer.adapters),
        best,
        whole,
        likeliest,
        unserved_architectures.liken(judged),
        ours,
    )


def _judged(parts: dict[str, LoraParts], stems: dict[str, Stem]) -> Judged:
    """The layers by which an architecture is told: text encoders are shared by several."""
    main = [part for stem, part in parts.items() if not stems[stem].component.startswith("text_")]
    return [(unserved_architectures.spellings_of(p.stem), p.size) for p in main if p.down or p.size]


def _explained(layout: Layout, judged: Judged) -> int:
    """How many of the layers the model has, read as generously as `foreign` reads them."""
    return sum(
        any(
            (target := layout.find("main", name)) is not None
            and size in (None, (target.inputs, target.outputs))
            for name in names
        )
        for names, size in judged
    )


def group(
    tensors: Iterable[Tensor],
) -> tuple[dict[str, LoraParts], dict[str, int], tuple[str, ...]]:
    """Tensors by the layer they belong to, counts of other kinds' tensors, and foreign names."""
    parts: dict[str, LoraParts] = {}
    others: Counter[str] = Counter()
    strange = []
    for tensor in tensors:
        part = key_parser.part_of(tensor.name)
        if part is None:
            strange.append(tensor.name)
            continue
        layer = parts.setdefault(part.stem, LoraParts(part.stem))
        if part.role == "other":
            others[part.kind] += 1
            layer.others.setdefault(part.kind, []).append(tensor)
            continue
        if getattr(layer, part.role) is not None:
            strange.append(tensor.name)  # the same half in two spellings
            continue
        setattr(layer, part.role, tensor)
        layer.writer = part.writer or layer.writer
        layer.adapters |= {part.adapter} - {""}
    return parts, dict(others), tuple(strange)


def match(parts: dict[str, LoraParts], stems: dict[str, Stem], layout: Layout) -> LayerMatch:
    """Which stems name layers of `layout` in the right size, and which do not."""
    targets: dict[str, Target] = {}
    unknown, misfits = [], []
    for stem, read in stems.items():
        target = layout.find(read.component, read.name)
        if target is None:
            unknown.append(stem)
            continue
        targets[stem] = target
        if not parts[stem].fits(target):
            misfits.append(stem)
    return LayerMatch(layout, targets, tuple(unknown), tuple(misfits))


def _format(parts: dict[str, LoraParts], stems: dict[str, Stem], best: LayerMatch) -> str:
    """The naming that most layers have."""
    votes = Counter(
        _format_of(parts[stem], stems[stem], best.targets[stem]) for stem in best.targets
    )
    return votes.most_common(1)[0][0] if votes else "unknown"


def _format_of(parts: LoraParts, stem: Stem, target: Target) -> str:
    if stem.writer == "kohya":
        return "kohya-ldm" if target.spelling == "ldm" else "kohya"
    if target.spelling != "native":
        return target.spelling
    if parts.writer == "diffusers-old":
        return "diffusers-old"
    return "diffusers" if stem.writer == "diffusers" else "peft"


def first_ten(names: Sequence[str]) -> str:
    """Names for a sentence: ten at most, 120 characters of each, and how many more there are."""
    shown = ", ".join(name[:120] for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
