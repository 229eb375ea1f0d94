"""The values of the port: gaps are counted from columns, a prompt has one set of bytes."""

import pytest

from lotus.coprocessor.model.calls import TokenPrices, TokenUse, untold_use, worst_use
from lotus.coprocessor.model.port import DiversityGap, Prompt, RefusalCode, RefusalCount, gaps_of
from lotus.coprocessor.model.prompt_text import messages_of
from lotus.detectors.registry import known_detectors
from lotus.errors import ConfigError
from lotus.manifest import Manifest


def test_gaps_are_columns_that_few_detectors_read() -> None:
    every = gaps_of(known_detectors(), Manifest(), 1000)
    counts = {(gap.column, gap.horizon_s): gap.detectors for gap in every}
    assert counts["vol", 30] > 0
    assert counts["vol", 3600] == 0
    assert [gap.detectors for gap in every] == sorted(gap.detectors for gap in every)
    assert gaps_of(known_detectors(), Manifest(), 5) == every[:5]


def test_names_outside_the_closed_sets_are_no_gaps_and_no_refusals() -> None:
    for wrong in (("nosuch", 30, 0), ("vol", 31, 0), ("vol", 30, "0")):
        with pytest.raises(ConfigError):
            DiversityGap(*wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        RefusalCount("json", 1)  # type: ignore[arg-type]


def test_a_prompt_shows_its_numbers_and_marks_the_idea_of_the_operator() -> None:
    prompt = Prompt((), (DiversityGap("vol", 30, 2),), (RefusalCount(RefusalCode.JSON, 3),), 2, 'say "x"')
    system, user = messages_of(prompt)
    assert "vol,30,2" in user.text
    assert "json,3" in user.text
    assert 'Idea of the operator, in his own words: "say \\"x\\""' in user.text
    assert "zscore(x, w)" in system.text
    assert messages_of(prompt) == (system, user)


def test_the_worst_is_never_less_than_what_is_counted_where_nothing_is_told() -> None:
    prices = TokenPrices(0.1, 0.7)
    for sent, read, most in ((0, 0, 1), (1, None, 5), (1000, 10**6, 64)):
        worst, counted = worst_use(sent, most), untold_use(sent, read, most)
        assert worst.tokens_in >= counted.tokens_in
        assert worst.tokens_out >= counted.tokens_out
        assert prices.micro_usd(worst.tokens_in, worst.tokens_out) >= prices.micro_usd(
            counted.tokens_in, counted.tokens_out
        )
    assert TokenUse(2, 3).tokens == 5
