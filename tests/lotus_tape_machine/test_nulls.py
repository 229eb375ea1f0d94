"""The tape machine has one null: whatever is not finite becomes the same NaN."""

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.tape_machine.nulls import LARGEST, finite_or_null


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_finite_number_keeps_its_bits(value: float) -> None:
    assert bits(finite_or_null(value)) == bits(value)


@pytest.mark.parametrize("pattern", [0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000001, 0xFFF8000000000000])
def test_infinities_and_every_nan_become_the_one_null(pattern: int) -> None:
    (value,) = struct.unpack("<d", pattern.to_bytes(8, "little"))
    assert bits(finite_or_null(value)) == bits(math.nan)


def test_the_largest_number_is_not_null() -> None:
    assert finite_or_null(-LARGEST) == -LARGEST
