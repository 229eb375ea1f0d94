"""The shipped promises, and that what is not known breaks none."""

import pytest

from lotus.errors import SchemaError
from lotus.monitoring.sla import broken, promises_of, shipped_promises


def test_the_shipped_promises_break_just_beyond_their_limits() -> None:
    limits = {promise.name: promise.limit for promise in shipped_promises()}
    assert limits == {
        "minutes_whole": 0.99, "night_late": 0, "beliefs_age": 30, "inbox_hot": 1, "inbox_slow": 300,
        "wire_to_score": 150, "expert_latency": 2000, "parity": 1, "dead_letters": 24,
    }  # fmt: skip
    assert broken(shipped_promises(), limits) == []
    assert broken(shipped_promises(), dict.fromkeys(limits)) == []
    beyond = {p.name: p.limit + (-1e-9 if p.least else 1e-9) for p in shipped_promises()}
    assert [promise.name for promise, _ in broken(shipped_promises(), beyond)] == list(limits)
    assert len(broken(shipped_promises(), dict.fromkeys(limits, float("nan")))) == len(limits)


@pytest.mark.parametrize("text", ["x", "a: 1", "a: {limit: 1, unit: s, text: t, more: 1}", "a: {limit: 1}"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(SchemaError):
        promises_of(text)
