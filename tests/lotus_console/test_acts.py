"""Acts asked in a form: fields that count, and what is refused before anything is sent."""

import pytest

from lotus.errors import ConfigError
from lotus_console.access.sessions import PageSession
from lotus_console.acts import _author, asked_act, confidence_of

REJECTED = {"kind": "reject", "target": "b" * 32, "author": "ann", "reason_code": "other", "note": ""}


def test_a_form_says_one_act() -> None:
    _, act = asked_act(REJECTED | {"reason_code": "implausible", "note": " too few days "}, "main")
    assert (act.kind, act.author, act.reason_code, act.note) == ("reject", "ann", "implausible", "too few days")


def test_an_approval_may_name_the_act_that_it_leaves_out() -> None:
    said = {"kind": "approve", "target": "b" * 32, "author": "ann", "note": ""}
    assert asked_act(said, "main")[1].reason_code == ""
    fields, act = asked_act(said | {"lifts": "c" * 32}, "main")
    assert (act.reason_code, fields["lifts"]) == ("lifts " + "c" * 32, "c" * 32)
    with pytest.raises(ConfigError, match="lifts"):
        asked_act(REJECTED | {"lifts": "c" * 32}, "main")


@pytest.mark.parametrize(
    "change",
    [{"kind": "raise_grade"}, {"author": " "}, {"author": "a" * 129}, {"reason_code": "because"}, {"strange": "1"}],
)
def test_anything_else_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        asked_act(REJECTED | {"reason_code": "implausible"} | change, "main")


@pytest.mark.parametrize("said", ["1.01", "-0.1", "nan", "sure", "٣", "1e400"])
def test_a_confidence_is_a_probability_or_is_not_said(said: str) -> None:
    fields, _ = asked_act(REJECTED | {"confidence": " 0.7 "}, "main")
    assert confidence_of(fields) == 0.7
    assert confidence_of(asked_act(REJECTED | {"confidence": " "}, "main")[0]) is None
    with pytest.raises(ConfigError, match="probability"):
        asked_act(REJECTED | {"confidence": said}, "main")
    lifting = {"kind": "approve", "target": "b" * 32, "author": "ann", "note": "", "lifts": "c" * 32}
    with pytest.raises(ConfigError, match="no outcome"):
        asked_act(lifting | {"confidence": "0.5"}, "main")


@pytest.mark.parametrize("factor", ["0", "-1", "2", "nan", "1e400", "٣", ""])
def test_a_factor_is_above_0_and_at_most_1(factor: str) -> None:
    attenuated = {"kind": "attenuate", "target": "b" * 32, "author": "ann", "note": "", "factor": factor}
    with pytest.raises(ConfigError, match="factor"):
        asked_act(attenuated, "main")


def test_the_proxy_says_who_speaks_whatever_a_form_says() -> None:
    assert REJECTED | {"author": "bob"} | _author(PageSession("csrf", "ana")) == REJECTED | {"author": "ana"}
    assert REJECTED | _author(PageSession("csrf")) == REJECTED
