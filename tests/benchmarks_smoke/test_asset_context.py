"""A planted effect on one coin is found where coins are context and only there; nothing is found where nothing is."""

import pytest

from benchmarks.lessons.asset_context import ONE_COIN, made, measure
from benchmarks.lessons.worlds import ONE_LOOK, manifest_of
from lotus.learning.night import learn_night
from lotus.manifest import Asset
from lotus.priors.asset_context import words_of

pytestmark = pytest.mark.evidence("worlds of twelve days")
SIZE = (12, 2_160, 6.0, 3)  # days, windows a day, bps, coins


def test_an_effect_on_one_coin_is_found_by_its_name() -> None:
    scores, planted = made("coin", 2, *SIZE)
    assert [rule for rule, _ in planted] == [ONE_COIN]
    words = words_of([Asset(name, 2) for name in ("BTC", "ETH", "SOL")])
    (lesson,) = learn_night(scores, manifest_of(ONE_LOOK), vocabulary=words).lessons
    assert (lesson.rule, lesson.sign) == (ONE_COIN, 1)


def test_without_coins_as_context_it_is_not_found_and_nothing_is_found_in_noise() -> None:
    row = measure("coin", 2, *SIZE)
    assert (row["off_found"], row["on_found"]) == (0, 1)
    noise = measure("conf", 3, *SIZE)
    assert (noise["off_any"], noise["on_any"]) == (0, 0)
