"""The two doors to numba: what may make arrays, what may not."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.jit import allocating_kernel, kernel, kernel_folder
from lotus.jit_cache import tell_that_nothing_is_kept


@kernel
def _doubled_into(values: NDArray[np.float64], out: NDArray[np.float64]) -> int:
    for k in range(values.size):
        out[k] = 2.0 * values[k]
    return values.size


@kernel
def _made_in_the_wrong_place(n: int) -> float:
    return float(np.zeros(n).sum())


@allocating_kernel
def _doubled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty(values.size)
    _doubled_into(values, out)
    return out


def test_a_kernel_works_on_arrays_that_its_caller_holds() -> None:
    out = np.zeros(3)
    assert _doubled_into(np.arange(3.0), out) == 3
    assert out.tolist() == [0.0, 2.0, 4.0]


def test_a_kernel_that_makes_an_array_does_not_compile() -> None:
    with pytest.raises(numba.core.errors.TypingError):
        _made_in_the_wrong_place(3)


def test_an_allocating_kernel_returns_an_array_that_outlives_it() -> None:
    made = [_doubled(np.full(1_000, float(k))) for k in range(50)]
    assert all(np.all(one == 2.0 * k) for k, one in enumerate(made))


def test_code_that_was_compiled_once_is_loaded_without_type_inference(tmp_path: Path) -> None:
    code = "import lotus.mathx as m, numba.core.registry as r; m.log(2.0); "
    code += "print(len(r.cpu_target.typing_context._functions))"
    environment = os.environ | {"LOTUS_KERNEL_CACHE": str(tmp_path)}

    def known_functions() -> int:
        run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
        return int(run.stdout)

    compiling, loading = known_functions(), known_functions()
    assert loading < compiling / 10


def test_where_nothing_may_be_kept_kernels_work_and_it_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    monkeypatch.setattr("lotus.jit._cache_root", lambda: no_folder)
    kernel_folder.cache_clear()
    tell_that_nothing_is_kept.cache_clear()
    kernels = [kernel(_twice), kernel(_twice)]
    assert [compiled(21) for compiled in kernels] == [42, 42]
    kernel_folder.cache_clear()
    (said,) = caplog.messages
    assert "expected: one that may be, named by LOTUS_KERNEL_CACHE" in said


def _twice(value: int) -> int:
    return 2 * value
