"""Rows as bytes of COPY: the layout that PostgreSQL documents."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lotus_store.ledger import binary_copy


@given(st.lists(st.tuples(st.text(max_size=9), st.integers(0, 2**64 - 1), st.floats()), max_size=20))
def test_binary_copy_has_the_documented_layout(rows: list[tuple[str, int, float]]) -> None:
    rows = [(t.encode("utf-8", "ignore").decode(), k, x) for t, k, x in rows]
    columns = {
        "t": np.array([r[0] for r in rows], dtype=object),
        "k": np.array([r[1] for r in rows], dtype="u8"),
        "x": np.array([r[2] for r in rows], dtype="f8"),
    }
    raw = binary_copy.encode(columns)
    assert raw.startswith(b"PGCOPY\n\xff\r\n\0" + bytes(8))
    at, found = 19, []
    while raw[at : at + 2] != b"\xff\xff":
        assert int.from_bytes(raw[at : at + 2]) == 3
        at += 2
        fields = []
        for _ in range(3):
            width = int.from_bytes(raw[at : at + 4])
            fields.append(raw[at + 4 : at + 4 + width])
            at += 4 + width
        found.append(tuple(fields))
    assert at + 2 == len(raw)
    expected = [(t.encode(), k.to_bytes(8), np.array(x, dtype=">f8").tobytes()) for t, k, x in rows]
    assert sorted(found) == sorted(expected)
