"""A tree and its flags: what the flags say of raw columns is the leaf that the tree puts a row in."""

import numpy as np

from lotus.coprocessor.segments.distilled import ColumnScale, compared, flags_of, leaves_of
from lotus.detectors.daily.segment_list import STORED_COLUMNS, context_values, labels_of, segment_program
from lotus.tape_machine.printer import text_of

SCALES = (ColumnScale("vol", 0.5, 0.8, True), ColumnScale("spread", -0.2, 0.5, True),
          ColumnScale("depth_slope", 0.1, 2.0, False))  # fmt: skip


def test_flags_put_raw_rows_where_the_tree_does() -> None:
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((4_000, 3))
    states = np.where(rows[:, 0] < -0.3, 0, np.where(rows[:, 2] + (rows[:, 1] > 0.5) > 0.4, 4, 2))
    leaves = leaves_of(rows, states)
    assert list(leaves) == [0, 2, 4]
    assert all(len(cuts) <= 3 for own in leaves.values() for cuts in own)
    texts = flags_of(leaves, SCALES)
    columns = {name: np.full(len(rows), np.nan) for name in STORED_COLUMNS}
    for k, scale in enumerate(SCALES):
        raw = scale.mean + rows[:, k] * scale.deviation
        columns[f"x_{scale.name}"] = np.exp(raw) if scale.is_log else raw
        assert np.allclose(scale.standardised(columns[f"x_{scale.name}"]), rows[:, k])
    found = labels_of(segment_program((texts,)), np.zeros(len(rows), np.int64), context_values(columns, len(rows)))
    given = np.array(list(leaves))[np.minimum(found, 2)]
    assert np.mean(found < 3) == 1.0  # the leaves part everything
    assert np.mean(given == states) > 0.9


def test_a_comparison_carries_the_unit_of_its_column() -> None:
    assert text_of(compared("vol", True, 2.5)) == "vol > 2.5bps/sqrt(min)"
    assert text_of(compared("depth_slope", False, -0.25)) == "depth_slope <= -0.25/bps"
