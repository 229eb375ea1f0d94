"""Kept values equal made ones bit for bit, damaged files are made again, and a warm start parses nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lotus.memoised
from lotus.detectors.registry import known_detectors, shipped_detectors
from lotus.detectors.spec_compile import CompiledDetectors, compile_detectors
from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import Fusion, default_experts, shipped_fusion
from lotus.manifest import Manifest
from lotus.memoised import memoised

KERNEL = Manifest().kernel
START = """
import sys
blocked = dict.fromkeys(sys.argv[1:])
sys.modules.update(blocked)
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.spec_compile import compile_detectors
from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import default_experts
from lotus.manifest import Manifest
import lotus_live.pipeline.warm_up
manifest = Manifest()
print(compile_experts(default_experts(), manifest.kernel.cadence_ms).version)
print(compile_detectors(shipped_detectors(), manifest).windows.version)
"""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A value with all that programs and specs are made of."""

    numbers: NDArray[np.float64]
    places: NDArray[np.int64]
    pairs: tuple[tuple[int, float], ...]
    table: Mapping[tuple[int, str], int]
    words: Mapping[str, object]


THING = Thing(
    np.array([[1.5, -0.0], [np.nan, 5e-324]]),
    np.array([-(2**63), 2**63 - 1]),
    ((1, 0.1), (2, -0.0)),
    {(0, "x"): 1, (1, "timeout"): 0},
    {"b": ["1", {"c": "x"}], "a": "2"},
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setattr(lotus.memoised, "cache_folder", lambda package: tmp_path / package)
    return tmp_path / "experts"


def bits(value: Any) -> Any:
    """A value as plain nested tuples in which floats are their bytes and mappings keep their order."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes(), value.flags.carray
    if isinstance(value, float):
        return np.float64(value).tobytes()
    if isinstance(value, Mapping):
        return tuple((bits(k), bits(v)) for k, v in value.items())
    if is_dataclass(value):
        return type(value), tuple(bits(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, tuple | list):
        return type(value), tuple(map(bits, value))
    return type(value), value


class Maker:
    """Makes `THING` and counts how often."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Thing:
        self.made += 1
        return THING


def keep(make: Callable[[], Thing], *key: str | int | float) -> Thing:
    """Keep a thing among the experts."""
    return memoised(Thing, "experts", "thing", key, make)


def test_a_kept_value_is_made_once_and_has_the_same_bits(folder: Path) -> None:
    make = Maker()
    first, second = keep(make, "a", 1), keep(make, "a", 1)
    assert make.made == 1
    assert second is not first
    assert bits(second) == bits(first)
    assert [f.suffix for f in folder.iterdir()] == [".msgpack"]


def test_another_key_is_another_value(folder: Path) -> None:
    make = Maker()
    for key in (("a", 1), ("a", 2), ("b", 1), ("a", 1.0), ("a", 1)):
        keep(make, *key)
    assert make.made == 4
    assert len(list(folder.iterdir())) == 4


def test_a_changed_data_file_is_another_value(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, make = tmp_path / "data", Maker()
    (data / "specs").mkdir(parents=True)
    monkeypatch.setattr(lotus.memoised, "folders_below", lambda package: (data,))
    for text, file in (("a: 1", "a.yaml"), ("a: 2", "a.yaml"), ("a: 2", "b.yaml"), ("ignored", "c.py")):
        (data / "specs" / file).write_text(text)
        lotus.memoised._data_hash.cache_clear()
        keep(make)
    lotus.memoised._data_hash.cache_clear()
    assert make.made == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:-1],
        lambda whole: whole + b"\x00",
        lambda whole: b"\x80\x04K\x01." + whole,
        lambda whole: whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
    ],
    ids=["empty", "cut", "longer", "foreign", "one bit"],
)
def test_a_damaged_file_is_made_again(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    make = Maker()
    keep(make, "a")
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert bits(keep(make, "a")) == bits(THING)
    assert make.made == 2
    assert file.read_bytes() == whole


def test_a_file_of_another_key_is_not_taken(folder: Path) -> None:
    make = Maker()
    keep(make, "a")
    (first,) = folder.iterdir()
    keep(make, "b")
    (second,) = set(folder.iterdir()) - {first}
    second.write_bytes(first.read_bytes())
    keep(make, "b")
    assert make.made == 3


def test_a_sound_file_with_another_structure_is_made_again(folder: Path) -> None:
    make = Maker()
    memoised(tuple[int, ...], "experts", "thing", ("a",), lambda: (1, 2))
    assert bits(keep(make, "a")) == bits(THING)
    assert make.made == 1


def test_a_folder_that_cannot_be_written_costs_only_time(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    make = Maker()
    assert keep(make) is THING
    assert keep(make) is THING


def test_shipped_programs_and_specs_are_kept_as_compiled(folder: Path) -> None:
    experts, detectors, manifest = default_experts(), shipped_detectors(), Manifest()
    pairs: list[tuple[Any, Any]] = []
    for read in (
        shipped_fusion.__wrapped__,
        lambda: default_experts.__wrapped__().experts,
        known_detectors.__wrapped__,
        lambda: compile_experts.__wrapped__(experts, KERNEL.cadence_ms),
        lambda: lotus.detectors.spec_compile._kept.__wrapped__(detectors, KERNEL.cadence_ms, KERNEL.window_ms),
    ):
        pairs.append((read(), read()))
    assert len(list(folder.iterdir())) == 3
    assert len(list((folder.parent / "detectors").iterdir())) == 2
    for made, found in pairs:
        assert made is not found
        assert bits(made) == bits(found)
    fusion, specs, known, program, compiled = (found for _, found in pairs)
    assert isinstance(fusion, Fusion)
    assert isinstance(compiled, CompiledDetectors)
    assert [s.spec_id for s in specs] == [s.spec_id for s in experts.experts]
    assert [(d.spec_id, d.depth, d.nodes, d.rho) for d in known] == [
        (d.spec_id, d.depth, d.nodes, d.rho) for d in known_detectors()
    ]
    assert bits(program) == bits(compile_experts(experts, KERNEL.cadence_ms))
    assert bits(compiled) == bits(compile_detectors(detectors, manifest))


def test_sets_that_run_live_are_kept_and_no_others(folder: Path) -> None:
    shipped = shipped_detectors()
    trial = replace(shipped[0], detector_id="trial")
    read = lotus.detectors.spec_compile._kept.__wrapped__
    for detectors, files in (((trial,), 0), (shipped[:-1], 0), ((*shipped, trial), 1), ((trial, *shipped), 1)):
        made, found = (read(detectors, KERNEL.cadence_ms, KERNEL.window_ms) for _ in range(2))
        assert bits(made) == bits(found)
        assert found.detectors is detectors
        assert len(list((folder.parent / "detectors").glob("*"))) == files


def test_a_warm_start_reads_no_yaml_and_parses_no_expression(tmp_path: Path) -> None:
    """numba itself imports yaml where it can, so both are made impossible to import."""
    environment = os.environ | {"LOTUS_KERNEL_CACHE": str(tmp_path), "NUMBA_DISABLE_JIT": "1"}
    cold, made, warm = (
        subprocess.run([sys.executable, "-c", START, *blocked], env=environment, capture_output=True, text=True)
        for blocked in (("lark", "yaml"), (), ("lark", "yaml"))
    )
    assert "ModuleNotFoundError" in cold.stderr
    assert warm.stderr == made.stderr == ""
    assert len(made.stdout.split()) == 2
    assert warm.stdout == made.stdout
