"""Every reason of refusal has a case and a meaning."""

from lotus.trading.plan.refusals import MEANINGS, RefusalReason

from ..faulty_plans import FAULTS


def test_every_reason_has_a_case_and_a_meaning() -> None:
    assert (
        set(FAULTS) | {RefusalReason.CURATORS} == set(RefusalReason) == set(MEANINGS)
    )  # curators: lotus_modules.tr.judging
    assert len(set(MEANINGS.values())) == len(MEANINGS)
