"""Each attack on a kernel cache (LOTUS_KERNEL_CACHE) once; `kernel_cache.py` does them often."""

import random
from collections.abc import Callable

import pytest
from kernel_cache import ATTACKS, Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), seed=random.randrange(1000))


@pytest.mark.compile("processes that each compile a few kernels; one of them is killed")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_the_next_process_counts_right_after(attack: Callable[[Bench], str], bench: Bench) -> None:
    assert attack(bench) == bench.expected
