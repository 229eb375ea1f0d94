"""Every split into blocks gives the same bits; nothing looks ahead; swaps keep what both programs have."""

import numpy as np
import pytest
from frame_texts import evaluate
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import SchemaError
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import Program, compile_program

from .machine_tables import COLUMNS, nasty_table
from .oracle import SEQUENTIAL, column, equal_bits, expressions, meaning, node

PROGRAMS = st.lists(expressions(COLUMNS), min_size=1, max_size=5)


def program_of(roots: list[Node]) -> Program:
    return compile_program({str(k): root for k, root in enumerate(roots)})


def rebirths(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < 2.0 / n


@settings(max_examples=examples(60), deadline=None)
@given(PROGRAMS, st.integers(0, 2**32), st.integers(1, 900), st.data())
def test_every_split_gives_the_same_bits(roots: list[Node], seed: int, n: int, data: st.DataObject) -> None:
    program, table, reborn = program_of(roots), nasty_table(seed, n), rebirths(seed, n)
    (whole,) = evaluate(program, [(table, reborn)])
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=5)))
    machine = Machine(program, 1)
    parts = [machine.feed_table(0, table[a:b], reborn[a:b]) for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    assert equal_bits(np.concatenate(parts), whole)
    live = Machine(program, 1)
    rows = [live.feed(0, row, bool(flag)).copy() for row, flag in zip(table, reborn, strict=True)]
    assert equal_bits(np.array(rows), whole)
    for key in program.slots:
        for a, b in zip(machine.node_state(key, 0), live.node_state(key, 0), strict=True):
            assert a.tobytes() == b.tobytes()


@settings(max_examples=examples(60), deadline=None)
@given(PROGRAMS, st.integers(0, 2**32), st.integers(2, 900), st.data())
def test_no_row_depends_on_a_later_one(roots: list[Node], seed: int, n: int, data: st.DataObject) -> None:
    program, table = program_of(roots), nasty_table(seed, n)
    k = data.draw(st.integers(1, n - 1))
    other = table.copy()
    other[k:] = nasty_table(seed + 1, n)[k:]
    no = np.zeros(n, np.bool_)
    whole, changed, short = evaluate(program, [(table, no), (other, no), (table[:k], no[:k])])
    assert equal_bits(whole[:k], short)
    assert equal_bits(whole[:k], changed[:k])


@settings(max_examples=examples(40), deadline=None)
@given(PROGRAMS, st.integers(0, 2**32), st.integers(1, 700))
def test_a_reborn_asset_remembers_nothing_and_assets_are_apart(roots: list[Node], seed: int, n: int) -> None:
    program, before, after = program_of(roots), nasty_table(seed, n), nasty_table(seed + 1, n)
    no = np.zeros(n, np.bool_)
    both = np.concatenate([before, after])
    flag = np.zeros(2 * n, np.bool_)
    flag[n] = True
    fresh, joined, other = evaluate(program, [(after, no), (both, flag), (before, no)])
    assert equal_bits(joined[n:], fresh)
    assert equal_bits(joined[:n], other)


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(sorted({*SEQUENTIAL} - {"ema", "since"})), st.integers(1, 50))
def test_operations_compose(seed: int, op: str, w: int) -> None:
    x, y = node("rmax", node("lag", column(0), params=(2,)), params=(3,)), node("sub", column(1), column(2))
    flag = node("gt", x, y)
    args = {"hold": (x, flag), "crossed": (x, y), "retest": (x, y), "lag": (x,)}.get(op, (flag,))
    params = {"crossed": (), "retest": (0.3, w)}.get(op, (w,))
    root, table = node(op, *args, params=params), nasty_table(seed, 200)
    (found,) = evaluate(program_of([root]), [(table, np.zeros(200, np.bool_))])
    np.testing.assert_array_equal(found[:, 0], meaning(root, table))


@settings(max_examples=examples(40), deadline=None)
@given(PROGRAMS, PROGRAMS, PROGRAMS, st.integers(0, 2**32), st.integers(1, 500))
def test_a_swap_with_all_rows_since_birth_is_no_swap_at_all(
    kept: list[Node], gone: list[Node], added: list[Node], seed: int, n: int
) -> None:
    first, second = program_of(kept + gone), program_of(kept + added)
    tables = [nasty_table(seed, n), nasty_table(seed + 1, n)]
    later, no = nasty_table(seed + 2, 300), np.zeros(n + 300, np.bool_)
    machine = Machine(first, 2)
    for asset, table in enumerate(tables):
        machine.feed_table(asset, table)
    machine.swap(second, tables)
    always = evaluate(second, [(np.concatenate([t, later]), no) for t in tables])
    for asset in range(2):
        found = np.array([machine.feed(asset, row).copy() for row in later])
        assert equal_bits(found, always[asset][n:])


@settings(max_examples=examples(40), deadline=None)
@given(PROGRAMS, PROGRAMS, st.integers(0, 2**32), st.integers(1, 500), st.integers(0, 500))
def test_a_swap_keeps_the_state_of_common_nodes_and_warms_new_ones_from_the_ring(
    kept: list[Node], added: list[Node], seed: int, n: int, ring: int
) -> None:
    first, second = program_of(kept), program_of(kept + added)
    table = nasty_table(seed, n)
    machine, untouched, warmed = Machine(first, 1), Machine(first, 1), Machine(second, 1)
    for m in (machine, untouched):
        m.feed_table(0, table)
    recent = table[max(0, n - ring) :]
    machine.swap(second, [recent])
    warmed.feed_table(0, recent)
    for key in second.slots:
        source = untouched if key in first.slots else warmed
        for a, b in zip(machine.node_state(key, 0), source.node_state(key, 0), strict=True):
            assert a.tobytes() == b.tobytes()


def test_a_swap_without_recent_rows_leaves_new_nodes_null_until_warmed() -> None:
    old, new = node("mean", column(0), params=(20,)), node("mean", column(0), params=(30,))
    table = nasty_table(3, 200)
    table[:, 0] = np.arange(200.0)
    machine = Machine(compile_program({"old": old}), 1)
    machine.feed_table(0, table[:100])
    machine.swap(compile_program({"new": new, "old": old}))
    found = machine.feed_table(0, table[100:])
    assert (found[:, 1] == np.arange(100.0, 200.0) - 9.5).all()
    assert np.isnan(found[:29, 0]).all()
    assert (found[29:, 0] == np.arange(129.0, 200.0) - 14.5).all()


def test_swapping_back_and_forth_between_two_orders_changes_nothing() -> None:
    roots = [node(op, column(0), params=(w,)) for op in ("std", "rank", "ema", "argmin_age") for w in (5, 700)]
    table, no = nasty_table(9, 2000), np.zeros(2000, np.bool_)
    (whole,) = evaluate(program_of(roots), [(table, no)])
    machine, parts = Machine(program_of(roots), 1), []
    for first in range(0, 2000, 100):
        straight = first % 200 == 0
        machine.swap(program_of(roots if straight else roots[::-1]))
        found = machine.feed_table(0, table[first : first + 100])
        parts.append(found if straight else found[:, ::-1])
    assert equal_bits(np.concatenate(parts), whole)


def test_a_machine_refuses_tables_that_do_not_fit() -> None:
    machine = Machine(compile_program({"y": column(2)}), 2)
    with pytest.raises(SchemaError, match="3 columns or more"):
        machine.feed(0, np.zeros(2))
    with pytest.raises(SchemaError, match="rebirth flags"):
        machine.feed_table(0, np.zeros((4, 3)), np.zeros(3, np.bool_))
    with pytest.raises(SchemaError, match="recent rows of 1 assets"):
        machine.swap(compile_program({"y": column(0)}), [np.zeros((4, 3))])
