"""Holds an adapter's layers against a model's. Pure: the header and the alphas are all it reads.

Scaling is lora_alpha / r, or lora_alpha / sqrt(r) for rsLoRA (arXiv:2312.03732).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite, prod, sqrt

from adapters.checks import channel_checks, lora_equivalents
from adapters.checks.channel_checks import Channel
from adapters.formats import target_modules, unserved_kinds
from adapters.formats.detection import LoraParts, Recognised, first_ten, squeezed
from adapters.formats.file_verdicts import FileRefused
from adapters.formats.lora_config import PeftSettings
from adapters.formats.safetensors_header import Tensor
from adapters.formats.target_modules import Layer, Target

ALPHA_MAX = 1e6  # as the advice of alpha_invalid says
WEIGHT_DTYPES = ("F16", "BF16", "F32", "F64")
NUMBERED = re.compile(r"(weights\.)?\d+(\.to_[a-z_]+)?")
SERVED = {*lora_equivalents.KINDS, *channel_checks.KINDS}
LARGEST = 3.38e38  # a little below the largest number of fp32 and bf16


class NotAnAdapter(FileRefused, code="not_an_adapter"):
    """Weights, but nobody's LoRA."""


class UnsupportedType(FileRefused, code="unsupported_type"):
    """OFT, IA3, DoRA and the like: docs/adr/0013."""


class UnsupportedLayers(FileRefused, code="unsupported_layers"):
    """Convolutions and others that have no slot in the engine: docs/adr/0013."""


class UnsupportedDtype(FileRefused, code="unsupported_dtype"):
    """Integers, booleans or 8-bit numbers as weights."""


class UnknownKeys(FileRefused, code="unknown_keys"):
    """Names that lead to no layer."""


class WrongBaseModel(FileRefused, code="wrong_base_model"):
    """It fits another family, or is far closer to one."""


class DimensionMismatch(FileRefused, code="dimension_mismatch"):
    """The names fit, the sizes do not."""


class IncompletePair(FileRefused, code="incomplete_pair"):
    """One half of a LoRA."""


class RankMismatch(FileRefused, code="rank_mismatch"):
    """`lora_A` has other rows than `lora_B` has columns."""


class RankZero(FileRefused, code="rank_zero"):
    """A matrix with a side of nothing."""


class AxisUnknown(FileRefused, code="unsupported_type"):
    """DoRA's magnitudes or a bias that the layer has no such channels for."""


class DuplicateLayer(FileRefused, code="duplicate_layer"):
    """Two names for one layer."""


class AlphaInvalid(FileRefused, code="alpha_invalid"):
    """Not one finite number."""


class TooStrong(FileRefused, code="not_finite"):
    """Finite in the file, infinite as soon as it is used."""


@dataclass(frozen=True, slots=True)
class Module:
    """One LoRA, or what is equal to one of `rank`: its matrices by name ("down" and "up", or a
    `kind`'s own), what they act on, and the factor on their product."""

    stem: str
    target: Target
    tensors: Mapping[str, Tensor]
    rank: int
    alpha: float
    scaling: float
    is_alpha_missing: bool = False
    kind: str = "LoRA"
    vectors: Mapping[str, tuple[Channel, Tensor]] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        return self.rank * (self.target.inputs + self.target.outputs)

    def change(self, norms: Mapping[str, float]) -> float:
        """No less than the norm of what it adds to a layer's weights, by those of its tensors."""
        return prod(norms[tensor.name] for tensor in self.tensors.values()) * abs(self.scaling)

    def largest(self, norms: Mapping[str, float]) -> float:
        """No less than any number that is made of its numbers, on the way as at the end."""
        matrices = prod(max(1.0, norms[tensor.name]) for tensor in self.tensors.values())
        vectors = sum(norms[tensor.name] for _, tensor in self.vectors.values())
        return max(1.0, abs(self.scaling)) * max(matrices, vectors)

    def is_idle(self, norms: Mapping[str, float]) -> bool:
        """Whether the layer stays as it is."""
        scales = {"LoRA with biases": self.scaling}  # what else stands beside has no alpha
        biases = (norms[t.name] * scales.get(k, 1) for k, (_, t) in self.vectors.items())
        return not ("DoRA" in self.vectors or self.change(norms) or any(biases))

    def products(self) -> list[tuple[int, int]]:
        """See `lora_equivalents.products`."""
        if self.kind == "LoRA":
            return [(self.rank, self.target.inputs + self.target.outputs)]
        return lora_equivalents.products(self.kind, {n: t.shape for n, t in self.tensors.items()})


def check_architecture(found: Recognised, *, base_name: str) -> None:
    """Raises WrongBaseModel for the adapter of an architecture that is not served."""
    if not found.is_foreign:
        return
    alike = found.alike
    layers = f"its {alike.total} layers are those"
    if alike.total == 1:
        layers = "its one layer is one"
    elif not alike.is_whole:
        layers = f"{alike.explained} of its {alike.total} layers are those"
    to_whom = f"was not made for {base_name}" if base_name else "was made for another model"
    raise WrongBaseModel(
        message=f"The adapter {to_whom}: {layers} of {alike.title}.",
        advice="No model of that kind is served here; the upload page lists those that are.",
    )


def check_shapes(found: Recognised) -> None:
    """Everything that is wrong whatever the model: raises the first of it that matters most."""
    has_pairs = any(parts.down or parts.up for parts in found.parts.values())
    if not has_pairs and all(unserved_kinds.BY_NAME[kind].is_beside for kind in found.kinds):
        raise NotAnAdapter
    if set(found.kinds) - SERVED:
        raise _unsupported_type(found)
    if any(parts.is_transposed for parts in found.parts.values()):
        raise UnsupportedType(
            message="The adapter is written in MLX's form, in which every matrix lies the other "
            "way round.",
            advice="Turn each matrix over and save it under PEFT's names, such as "
            "transformer_blocks.0.attn.to_q.lora_A.weight.",
        )
    if len(found.adapters) > 1:
        raise UnsupportedType(
            message=f"The file holds {len(found.adapters)} adapters: "
            f"{first_ten(sorted(found.adapters))}.",
            advice="Save each of them in a file of its own.",
        )
    for parts in found.parts.values():
        _check_pair(parts)


def _unsupported_type(found: Recognised) -> UnsupportedType:
    """Of the kind that most tensors have; of what stands beside a LoRA only without another."""
    unserved = {n: c for n, c in found.kinds.items() if n not in SERVED}
    name, count = max(
        unserved.items(),
        key=lambda item: (not unserved_kinds.BY_NAME[item[0]].is_beside, item[1]),
    )
    kind = unserved_kinds.BY_NAME[name]
    stems = [stem for stem, parts in found.parts.items() if name in parts.others]
    article = "an" if name[0] in "AEIO" else "a"
    what = f"The adapter is {article} {name}, which is recognised but not served"
    if kind.is_beside:
        what = f"Beside its LoRA the file holds {name}, which would be lost here"
    return UnsupportedType(
        message=f"{what} ({count} tensor{'' if count == 1 else 's'} in the "
        f"layer{'' if len(stems) == 1 else 's'} {first_ten(stems)}).",
        advice=kind.advice,
    )


def _check_pair(parts: LoraParts) -> None:
    down, up = parts.down, parts.up
    if not parts.others.keys() <= set(channel_checks.KINDS):
        _check_equivalent(parts)
        return
    for kind, vectors in parts.others.items():
        _check_dtypes(parts, vectors)
        if down is None and up is None:
            raise UnsupportedType(
                message=f"The layer {parts.stem[:120]} has {kind}, but no LoRA that it belongs to.",
            )
    if down is None and up is None:
        raise IncompletePair(
            message=f"The layer {parts.stem[:120]} has an alpha, but no matrices.",
            advice="Export the adapter again, or leave that alpha out.",
        )
    if down is None or up is None:
        raise IncompletePair(message=f"The layer {parts.stem[:120]} has only one half of its LoRA.")
    _check_dtypes(parts, [down, up])
    for tensor in (down, up):
        if len(tensor.shape) not in (2, 4):
            raise DimensionMismatch(
                message=f"{tensor.name[:160]} is no matrix: its shape is {list(tensor.shape)}."
            )
    if 0 in down.shape or 0 in up.shape:
        raise RankZero(message=f"The layer {parts.stem[:120]} has rank 0.")
    if down.shape[0] != squeezed(up)[1] or len(squeezed(up)) != 2:
        raise RankMismatch(
            message=f"The layer {parts.stem[:120]} has rank {down.shape[0]} on one side and "
            f"{up.shape[1]} on the other."
        )
    _check_alpha(parts)


def _check_equivalent(parts: LoraParts) -> None:
    """Of a layer of another kind, which must be that kind alone, and whole."""
    (kind, tensors), *more = parts.others.items()
    if more or parts.down or parts.up:
        raise UnsupportedType(
            message=f"The layer {parts.stem[:120]} is changed in two ways at once.",
            advice="Save the file with one kind of change for each layer.",
        )
    _check_dtypes(parts, tensors)
    shapes = {_last(tensor): squeezed(tensor) for tensor in tensors}
    if any(name[-2:] in ("t1", "t2") or shape[2:4] for name, shape in shapes.items()):
        raise UnsupportedLayers(
            message=f"The layer {parts.stem[:120]} is the {kind} of a larger convolution, which is "
            "not served."
        )
    try:
        lora_equivalents.ranks(kind, shapes)
    except lora_equivalents.NotEqual as reason:
        raise IncompletePair(message=f"The layer {parts.stem[:120]} {reason}.") from reason
    _check_alpha(parts)


def _last(tensor: Tensor) -> str:
    return tensor.name.rsplit(".", 1)[-1]


def _check_dtypes(parts: LoraParts, tensors: Iterable[Tensor]) -> None:
    for tensor in tensors:
        if tensor.dtype not in WEIGHT_DTYPES:
            raise UnsupportedDtype(
                message=f"The layer {parts.stem[:120]} is stored as {tensor.dtype}."
            )


def _check_alpha(parts: LoraParts) -> None:
    if parts.alpha is not None and prod(parts.alpha.shape) != 1:
        raise AlphaInvalid(message=f"{parts.alpha.name[:160]} is no single number.")


def check_model(found: Recognised, *, base_name: str) -> None:
    """Whether the names and sizes are those of the model. `base_name` is empty for any family."""
    best, likely = found.best, found.likeliest
    if base_name and not best.is_whole and likely.score > best.score:
        fits = found.families[0] if found.families else likely.layout.family
        raise WrongBaseModel(
            message=f"The adapter was not made for {base_name}: its layers are those of "
            f"{target_modules.FAMILY_NAMES[fits]}.",
            advice=f"Choose a model of the family {fits}.",
        )
    strange = [*best.unknown, *found.foreign]
    if any(NUMBERED.fullmatch(stem) for stem in best.unknown):
        raise UnknownKeys(
            message="The file numbers its layers instead of naming them, so nothing tells which "
            f"they are: {first_ten(strange)}.",
            advice="Save it with the names of the layers; an IP-Adapter's own LoRA belongs to it "
            "and is no adapter by itself.",
        )
    if strange:
        raise UnknownKeys(message=f"{_names(len(strange))} no layer here: {first_ten(strange)}.")
    if best.misfits:
        raise DimensionMismatch(message=_misfit(found, best.misfits[0], len(best.misfits)))


def _names(count: int) -> str:
    return "One name in the file leads to" if count == 1 else f"{count} names in the file lead to"


def _misfit(found: Recognised, stem: str, count: int) -> str:
    target, parts = found.best.targets[stem], found.parts[stem]
    total, name = len(found.best.targets), target.layers[0].name
    where = (
        f"The first of {count} layers with other sizes than the model's, among {total}, is {name}"
    )
    if total == 1:
        where = f"Its one layer has other sizes than the model's: {name}"
    elif count == 1:
        where = f"One of {total} layers has other sizes than the model's: {name}"
    return (
        f"{where}, which takes {target.inputs} and gives {target.outputs} numbers, while the "
        f"file's matrices are {' and '.join(str(list(t.shape)) for t in parts.tensors.values())}."
    )


def modules_of(
    found: Recognised, *, alphas: Mapping[str, float], settings: PeftSettings
) -> tuple[Module, ...]:
    """The LoRA modules; `alphas` holds the value of each alpha tensor by its name."""
    seen: dict[Layer, str] = {}
    modules = []
    for stem, target in found.best.targets.items():
        for layer in target.layers:
            if layer in seen:
                raise DuplicateLayer(
                    message=f"{seen[layer][:120]} and {stem[:120]} both change {layer.name}."
                )
            seen[layer] = stem
        modules.append(_module(found.parts[stem], target, alphas=alphas, settings=settings))
    return tuple(modules)


def _module(
    parts: LoraParts, target: Target, *, alphas: Mapping[str, float], settings: PeftSettings
) -> Module:
    kind = "LoRA" if parts.down else next(iter(parts.others))
    try:
        vectors = channel_checks.vectors_of(parts, target)
    except channel_checks.NotTold as reason:
        raise AxisUnknown(
            message=f"The layer {parts.stem[:120]} {reason}.",
            advice="Export the adapter again with the tool that trained it.",
        ) from reason
    rank, trained = _ranks(kind, parts.tensors)
    layer = target.layers[0]
    said = alphas[parts.alpha.name] if parts.alpha else settings.alpha_of(layer)
    alpha = float(trained or 1) if said is None else said
    if not isfinite(alpha) or abs(alpha) > ALPHA_MAX:
        raise AlphaInvalid(message=f"The layer {parts.stem[:120]} has alpha {alpha:g}.")
    is_rslora = parts.alpha is None and settings.is_rslora(layer)
    scaling = alpha / (sqrt(trained) if is_rslora else trained) if trained else 1.0
    is_missing = said is None and trained > 0
    return Module(
        parts.stem, target, parts.tensors, rank, alpha, scaling, is_missing, kind, vectors
    )


def _ranks(kind: str, tensors: Mapping[str, Tensor]) -> tuple[int, int]:
    """The rank of the LoRA, and the one that alpha is divided by."""
    if kind == "LoRA":
        return (tensors["down"].shape[0],) * 2
    return lora_equivalents.ranks(kind, {name: t.shape for name, t in tensors.items()})


def check_served(modules: Iterable[Module]) -> None:
    """Raises UnsupportedLayers, naming them."""
    left = [
        layer.name for module in modules for layer in module.target.layers if not layer.is_served
    ]
    if left:
        raise UnsupportedLayers(
            message=(
                "One layer that the adapter changes is"
                if len(left) == 1
                else f"{len(left)} layers that the adapter changes are"
            )
            + f" not served: {first_ten(left)}."
        )


def check_range(modules: Iterable[Module], *, norms: Mapping[str, float]) -> None:
    """Raises TooStrong where a layer, or the change that it makes, is more than fp32 can hold."""
    beyond = [module.target.layers[0].name for module in modules if module.largest(norms) > LARGEST]
    if beyond:
        raise TooStrong(
            message=f"The numbers of {first_ten(beyond)} are so large that they become infinite "
            "when the adapter is used."
        )
