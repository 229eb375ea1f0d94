"""The book that an order meets: best first, deeper levels kept, size conserved."""

from hypothesis import given
from hypothesis import strategies as st

from lotus.trading.execution.orders import Side
from lotus_venues.ladder import Ladder


@given(
    st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 500)), min_size=1, max_size=20),
    st.integers(1, 6000),
    st.sampled_from(list(Side)),
)
def test_walking_the_book_takes_best_first_and_conserves_size(
    levels: list[tuple[int, int]], lots: int, side: Side
) -> None:
    prices = sorted({px for px, _ in levels}, reverse=side is Side.SELL)
    sizes = dict(levels)
    ladder = Ladder()
    book = [(px + 10_000 if side is Side.BUY else px, sizes[px]) for px in prices]
    ladder.on_book(1, book if side is Side.SELL else [], book if side is Side.BUY else [], True)
    taken = ladder.take(side, lots, None)
    assert sum(n for _, n in taken) == min(lots, sum(n for _, n in book))
    assert [px for px, _ in taken] == [px for px, _ in book[: len(taken)]]
    assert all(n == dict(book)[px] for px, n in taken[:-1])


def test_shallow_book_keeps_deeper_levels_and_bbo_removes_better_ones() -> None:
    ladder = Ladder()
    ladder.on_book(1, [(10, 1), (9, 1), (8, 1)], [(11, 1), (12, 1), (13, 1)], True)
    ladder.on_book(2, [(9, 5), (8, 5)], [(12, 5)], False)
    assert (ladder.bids, ladder.asks) == ([(9, 5), (8, 5)], [(12, 5), (13, 1)])
    ladder.on_bbo(3, (8, 7), None)
    assert (ladder.bids, ladder.asks, ladder.is_two_sided) == ([(8, 7)], [], False)


@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(1, 60), max_size=25, unique=True)), max_size=12))
def test_a_side_is_the_fresh_levels_and_whatever_was_worse(messages: list[tuple[bool, list[int]]]) -> None:
    ladder, bids, asks = Ladder(), [], []
    for k, (deep, prices) in enumerate(messages):
        fresh = [(px, k) for px in sorted(prices, reverse=True)]
        kept = [] if deep or not fresh else [x for x in bids if x[0] < fresh[-1][0]]
        bids = [*fresh, *kept][: 25 if deep else 20]
        mirrored = [(-px, n) for px, n in fresh]
        kept = [] if deep or not fresh else [x for x in asks if x[0] > mirrored[-1][0]]
        asks = [*mirrored, *kept][: 25 if deep else 20]
        ladder.on_book(k, fresh, mirrored, deep)
        assert (ladder.bids, ladder.asks) == (bids, asks)
