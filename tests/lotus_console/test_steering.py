"""Acts of governance asked in a form: what counts as one, and what is refused before anything is sent."""

import pytest

from lotus.curation.act import CurationKind
from lotus.errors import ConfigError
from lotus_console.steering import _fields, asked_act

NUDGE = {"kind": "nudge", "target": "micro_drift", "log": "0.02", "days": "3", "author": " ann ", "reason": "it pays"}


def test_a_form_says_one_act() -> None:
    act = asked_act(_fields(NUDGE))
    assert (act.kind, act.target, act.value, act.days, act.actor) == (CurationKind.NUDGE, "micro_drift", 0.02, 3, "ann")
    lift = asked_act(_fields({"kind": "lift", "revokes": "a" * 32, "days": "30", "author": "ann", "reason": "x"}))
    assert asked_act(_fields(NUDGE | {"kind": "veto", "now": "yes"})).at_once
    assert not lift.at_once
    assert (lift.kind, lift.revokes, lift.value) == (CurationKind.LIFT, "a" * 32, 0.0)


@pytest.mark.parametrize(
    "change",
    [{"kind": "promote"}, {"kind": ""}, {"log": "nan"}, {"log": "٣"}, {"log": ""}, {"days": "-1"}, {"days": "1.5"},
     {"days": "9999"}, {"now": "on"}, {"now": "<b>"}, {"strange": "1"}, {"reason": "x" * 401}],
)  # fmt: skip
def test_anything_else_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        asked_act(_fields(NUDGE | change))
