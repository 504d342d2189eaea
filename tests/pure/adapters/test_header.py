"""The header reader: lawful files pass, every other one ends in a named refusal."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.formats import safetensors_header
from adapters.formats.safetensors_header import (
    Header,
    HeaderInvalid,
    NoTensors,
    NotSafetensors,
    Truncated,
)
from tests.adapters.files import encode, entry, table, zeros
from tests.depth import examples

ONE = {"a.lora_A.weight": (4, 8)}
NAMED = (HeaderInvalid, NoTensors, NotSafetensors, Truncated)


def read(content: bytes) -> Header:
    return safetensors_header.read(io.BytesIO(content), size_bytes=len(content))


def test_reads_what_a_library_wrote() -> None:
    np = pytest.importorskip("numpy")
    from safetensors.numpy import save

    content = save({"b": np.ones((2, 3), dtype=np.float32), "a": np.ones(1)}, {"note": "x"})
    found = read(content)
    assert {(t.name, t.dtype, t.shape) for t in found.tensors} == {
        ("b", "F32", (2, 3)),
        ("a", "F64", (1,)),
    }
    assert found.metadata == {"note": "x"}
    assert found.data_begins_at == len(content) - 32


def test_a_header_length_that_looks_like_a_pickle_is_still_a_header() -> None:
    """640 is b"\\x80\\x02" in the first two bytes, as in a pickle of protocol 2."""
    text = json.dumps(table(ONE)).encode().ljust(640)
    assert read(encode(text, bytes(64))).tensors[0].shape == (4, 8)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"", NoTensors, id="nothing"),
        pytest.param(b"1234", NotSafetensors, id="four bytes"),
        pytest.param(b"\xff" * 8 + b"{}", NotSafetensors, id="a length of 2^64"),
        pytest.param((2**63).to_bytes(8, "little") + b"{}", NotSafetensors, id="2^63"),
        pytest.param(encode({}), NoTensors, id="no tensors"),
        pytest.param(encode({"__metadata__": {"a": "b"}}), NoTensors, id="only metadata"),
        pytest.param(encode(b"{not json}"), HeaderInvalid, id="no JSON"),
        pytest.param(encode(b"[1, 2]"), NotSafetensors, id="a list"),
        pytest.param(encode(b"{" + b'"a":{' * 90_000), HeaderInvalid, id="deep"),
        pytest.param(encode(b"\xff{}"), NotSafetensors, id="not UTF-8 at the start"),
        pytest.param(encode(b'{"\xff": 1}'), HeaderInvalid, id="not UTF-8"),
        pytest.param(encode(b'{"a": ' + b"9" * 6000 + b"}"), HeaderInvalid, id="a huge number"),
        pytest.param(encode(table(ONE), bytes(63)), Truncated, id="data cut"),
        pytest.param(encode(table(ONE), bytes(65)), HeaderInvalid, id="bytes left over"),
        pytest.param(encode(table(ONE), length=4000), Truncated, id="length past the end"),
        pytest.param(encode(table(ONE, begin=8), bytes(72)), HeaderInvalid, id="a hole"),
        pytest.param(
            encode({"a": entry("F16", (4,), 0), "b": entry("F16", (4,), 4)}, bytes(12)),
            HeaderInvalid,
            id="overlap",
        ),
        pytest.param(
            encode({"a": {"dtype": "F16", "shape": [4], "data_offsets": [8, 0]}}, bytes(8)),
            HeaderInvalid,
            id="backwards",
        ),
        pytest.param(
            encode({"a": {"dtype": "F16", "shape": [4], "data_offsets": [0, 6]}}, bytes(6)),
            HeaderInvalid,
            id="size against shape",
        ),
        pytest.param(
            encode({"a": {"dtype": "F16", "shape": [-4], "data_offsets": [0, 8]}}, bytes(8)),
            HeaderInvalid,
            id="negative size",
        ),
        pytest.param(
            encode({"a": {"dtype": "F16", "shape": [True], "data_offsets": [0, 2]}}, bytes(2)),
            HeaderInvalid,
            id="true as a size",
        ),
        pytest.param(
            encode({"a": {"dtype": "F16", "shape": [2.0], "data_offsets": [0, 4]}}, bytes(4)),
            HeaderInvalid,
            id="a fraction as a size",
        ),
        pytest.param(
            encode({"a": {"dtype": "F16", "shape": [1] * 9, "data_offsets": [0, 2]}}, bytes(2)),
            HeaderInvalid,
            id="nine dimensions",
        ),
        pytest.param(
            encode({"a": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
            HeaderInvalid,
            id="unknown type",
        ),
        pytest.param(
            encode(b'{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},'
                   b'"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}', bytes(1)),
            HeaderInvalid,
            id="a name twice, lawful but for that",
        ),
        pytest.param(
            encode(b'{"a":{"dtype":"F64","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"1"),
            HeaderInvalid,
            id="a number type twice, lawful but for that",
        ),
        pytest.param(
            encode(b'{"__metadata__":{"r":"4","r":"8"},'
                   b'"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}', bytes(1)),
            HeaderInvalid,
            id="metadata twice, lawful but for that",
        ),
        pytest.param(
            encode({"a": entry("F16", (0, 2**63), 0)} | table(ONE), bytes(64)),
            HeaderInvalid,
            id="a size beyond 63 bits of a tensor that takes no place",
        ),
        pytest.param(encode({"a\0b": entry("I8", (1,), 0)}, b"1"), HeaderInvalid, id="NUL"),
        pytest.param(encode({"\ud800": entry("I8", (1,), 0)}, b"1"), HeaderInvalid, id="surrogate"),
        pytest.param(encode({"a" * 501: entry("I8", (1,), 0)}, b"1"), HeaderInvalid, id="long"),
        pytest.param(
            encode({"__metadata__": {"a": 1}} | table(ONE), bytes(64)),
            HeaderInvalid,
            id="metadata not text",
        ),
    ],
)  # fmt: skip
def test_refuses(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(content)


def test_a_pickle_is_refused_and_not_executed(tmp_path: Path) -> None:
    witness = tmp_path / "executed"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (witness,))

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(NotSafetensors):
            read(pickle.dumps(Payload(), protocol))
    assert not witness.exists()


def test_an_archive_is_refused_however_much_it_would_unpack_to() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bytes(50_000_000))
    with pytest.raises(NotSafetensors):
        read(bomb.getvalue())


@pytest.mark.parametrize("length", [safetensors_header.HEADER_MAX_BYTES + 1, 100_000_000, 2**63])
def test_a_header_above_the_bound_is_refused_by_its_first_eight_bytes(length: int) -> None:
    file = io.BytesIO(length.to_bytes(8, "little") + b"{")
    with pytest.raises((HeaderInvalid, NotSafetensors)):
        safetensors_header.read(file, size_bytes=100_000_008)
    assert file.tell() == 8


def test_metadata_full_of_tables_is_read() -> None:
    tags = json.dumps({f"tag {number}": {"count": [number]} for number in range(300_000)})
    assert tags.count(",") + tags.count("{") > safetensors_header.COMMAS_MAX
    said = {"__metadata__": {"ss_tag_frequency": tags}} | table(ONE)
    found = read(encode(said, bytes(64)))
    assert found.metadata["ss_tag_frequency"] == tags
    assert len(found.tensors) == 1


def test_a_header_that_is_mostly_metadata_is_told_to_leave_it_out() -> None:
    said = {"__metadata__": {"tags": "x" * safetensors_header.HEADER_MAX_BYTES}} | table(ONE)
    with pytest.raises(HeaderInvalid) as refusal:
        read(encode(said, bytes(64)))
    assert "Save it without metadata" in refusal.value.advice


@pytest.mark.parametrize("quotes", [b'"' + b'\\"' * 4_000_000, b'"\\' * 4_000_000])
def test_texts_that_do_not_end_are_passed_over_once(quotes: bytes) -> None:
    """Work that grew with the square of the length would not end within the suite's limit."""
    with pytest.raises(HeaderInvalid):
        read(encode(b"{" + b"," * (safetensors_header.COMMAS_MAX + 1) + quotes))


@pytest.mark.parametrize(
    "tables", [b"[" + b"[]," * 150_000 + b"[]]", b"[" + b"1," * 600_000 + b"1]"]
)
def test_a_header_of_too_many_parts_is_refused_before_they_are_built(tables: bytes) -> None:
    with pytest.raises(HeaderInvalid, match="more tensors than any adapter has"):
        read(encode(b'{"a":' + tables + b"}"))


def test_as_many_tensors_as_the_largest_adapters_have_are_read() -> None:
    """Ten thousand, each of two sides: the bounds on brackets and commas let them pass."""
    content = zeros({f"{number}.lora_A.weight": (1, 1) for number in range(10_000)})
    assert len(read(content).tensors) == 10_000


SIZES_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


@pytest.mark.parametrize(("dtype", "size"), SIZES_BYTES.items())
def test_every_number_type_takes_its_own_place(dtype: str, size: int) -> None:
    said = {"a": {"dtype": dtype, "shape": [3], "data_offsets": [0, 3 * size]}}
    assert read(encode(said, bytes(3 * size))).tensors[0].dtype == dtype


@pytest.mark.parametrize(
    "said",
    [["dtype", "shape", "data_offsets"], 7, None, "dtype", {}, {"dtype": "I8", "shape": [1]}],
)
def test_a_tensor_that_is_not_described_as_one_is_refused(said: Any) -> None:
    with pytest.raises(HeaderInvalid, match="not described as one"):
        read(encode({"a": said}, b"1"))


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    path.write_bytes(zeros(ONE))
    assert safetensors_header.read_file(path) == read(zeros(ONE))
    path.write_bytes(zeros(ONE)[:-1])
    with pytest.raises(Truncated):
        safetensors_header.read_file(path)


@pytest.mark.parametrize("shape", [4, "4", None, {"4": 4}, True, [[4]]])
@pytest.mark.parametrize("place", ["shape", "data_offsets"])
def test_sizes_that_are_no_list_of_numbers_are_refused(shape: Any, place: str) -> None:
    said = {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]} | {place: shape}
    with pytest.raises(HeaderInvalid, match="impossible shape or place"):
        read(encode({"a": said}, bytes(4)))


def test_a_header_of_sixteen_mebibytes_is_read() -> None:
    text = json.dumps(table(ONE)).encode().ljust(16 * 1024 * 1024)
    assert read(encode(text, bytes(64))).tensors


def test_more_tensors_than_any_adapter_has_are_refused() -> None:
    names = {f"{number}": (0,) for number in range(safetensors_header.TENSORS_MAX + 1)}
    with pytest.raises(HeaderInvalid, match="more than"):
        read(encode(table(names)))


SIZES = st.one_of(st.integers(-2, 9), st.sampled_from([2**31, 2**63 - 1, 2**64, True, 1.5, "1"]))
ENTRIES = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from([*safetensors_header.DTYPE_BYTES, "F1", 7, None]),
        "shape": st.lists(SIZES, max_size=4),
        "data_offsets": st.lists(SIZES, max_size=3),
    }
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
HEADERS = st.dictionaries(
    st.sampled_from(["a", "b.lora_A.weight", "__metadata__", "\0", "../x"]), ENTRIES | JSON
)


@st.composite
def broken_files(draw: st.DrawFn) -> bytes:
    """Anything from noise to a lawful file with one byte changed."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return draw(st.binary(max_size=64))
    if kind == 1:
        text = draw(st.binary(max_size=80))
        return encode(b"{" + text, draw(st.binary(max_size=16)))
    if kind == 2:
        length = draw(st.none() | st.integers(0, 2**64 - 1))
        return encode(draw(HEADERS), draw(st.binary(max_size=32)), length=length)
    lawful = bytearray(zeros({"a.lora_A.weight": (2, 3), "a.lora_B.weight": (3, 2)}))
    lawful[draw(st.integers(0, len(lawful) - 1))] = draw(st.integers(0, 255))
    return bytes(lawful)


@settings(max_examples=examples(10_000), suppress_health_check=list(HealthCheck))
@given(broken_files())
def test_no_bytes_raise_anything_but_a_named_refusal(content: bytes) -> None:
    try:
        found = read(content)
    except NAMED:
        return
    assert found.tensors
    assert found.tensors[-1].end == len(content) - found.data_begins_at
