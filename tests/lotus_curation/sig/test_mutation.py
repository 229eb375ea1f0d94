"""The mutation curator holds a newcomer back among detectors with a past, less every day."""

import pytest
from check_curator import honest_facts, nudges, with_detector

from lotus.curation.sig.mutation import judge


def test_a_newcomer_is_held_back_until_ten_days_matured() -> None:
    for days, log in ((0, -0.15), (4, -0.09), (9, -0.015), (10, None)):
        found = nudges(judge(with_detector(honest_facts(), "drift", matured_days=days), 0.15))
        assert found == ({} if log is None else pytest.approx({"drift": log}))


def test_where_nobody_has_a_past_nobody_is_held_back() -> None:
    facts = honest_facts()
    for name in ("basis", "drift", "range"):
        facts = with_detector(facts, name, matured_days=9)
    assert not judge(facts, 0.15)
