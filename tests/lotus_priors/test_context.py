"""The context of a window as text: there and back, and the context of a whole market."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import BeliefError
from lotus.priors.context import NO_CONTEXT, context_bins, context_text, market_context
from lotus.priors.vocabulary import ALIGNED, N_BINS, NULL_BIN

contexts = st.tuples(*(st.sampled_from([*range(n), NULL_BIN]) for n in N_BINS))


@given(contexts)
def test_a_context_survives_as_text(bins: tuple[int, ...]) -> None:
    assert context_bins(context_text(bins)) == bins
    assert context_bins("") == context_bins(NO_CONTEXT)


@pytest.mark.parametrize("text", ["0", 13 * "-", 11 * "-" + "x", "-3----------", "5" + 11 * "-", "²" + 11 * "-"])
def test_what_is_no_context_is_refused(text: str) -> None:
    with pytest.raises(BeliefError, match="context"):
        context_bins(text)


@given(st.lists(contexts, max_size=6), st.randoms())
def test_a_market_has_no_direction_and_no_order(rows: list[tuple[int, ...]], random) -> None:
    texts = [context_text(row) for row in rows]
    found = market_context(texts)
    assert found == market_context(random.sample(texts, len(texts)))
    for i, (value, aligned) in enumerate(zip(found, ALIGNED, strict=True)):
        known = [row[i] for row in rows if row[i] != NULL_BIN]
        assert value == NULL_BIN if aligned or not known else value in known
