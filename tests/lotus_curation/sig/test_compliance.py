"""The compliance curator vetoes what is forbidden, and says which rule names nothing."""

from dataclasses import replace

from check_curator import NAMES, honest_facts, vetoed

from lotus.curation.sig.compliance import judge, unmatched


def test_detectors_coins_both_and_horizons_can_be_forbidden() -> None:
    facts = replace(honest_facts(), forbidden=("basis", "@SOL", "drift@BTC", "basis"))
    assert vetoed(judge(facts, 0.15)) == ["@SOL", "basis", "drift@BTC"]
    assert vetoed(judge(replace(facts, forbidden=("300s",)), 0.15)) == sorted(NAMES)
    assert not unmatched(facts)


def test_a_rule_that_names_nothing_is_said() -> None:
    wrong = ("bassis", "@DOGE", "basis@DOGE", "@", "60s", "0s", "-5s")
    facts = replace(honest_facts(), forbidden=wrong)
    assert not judge(facts, 0.15)
    assert unmatched(facts) == list(wrong)
