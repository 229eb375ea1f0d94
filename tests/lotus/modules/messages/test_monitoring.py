"""An alarm is told once for its subject, kind and time, and holds no text that breaks what stores it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lotus.modules.envelope import RefusedError
from lotus.modules.messages.catalogue import decoded
from lotus.modules.messages.monitoring import LONGEST, WORD, MonitorAlert, monitor_message, shown

ALERT = MonitorAlert(
    branch="main", time_ms=3_600_000, kind="drift_data", subject="BTC spread_bps", found="2", expected="1"
)


def test_an_alarm_is_the_same_message_whatever_was_found_the_second_time() -> None:
    sent = monitor_message(ALERT)
    assert decoded(sent.schema_ref, sent.payload) == ALERT
    assert monitor_message(replace(ALERT, found="3")).dedupe_key == sent.dedupe_key
    for other in ({"kind": "sla"}, {"subject": "ETH spread_bps"}, {"time_ms": 0}, {"branch": "other"}):
        assert monitor_message(replace(ALERT, **other)).dedupe_key != sent.dedupe_key


@pytest.mark.parametrize(
    "change",
    [{"found": "a\x00b"}, {"subject": ""}, {"subject": "a\nb"}, {"severity": "fatal"}, {"act_id": "x" * 33},
     {"found": "x" * (LONGEST + 1)}, {"time_ms": -1}],
)  # fmt: skip
def test_what_no_alarm_holds_is_refused(change: dict[str, object]) -> None:
    sent = monitor_message(ALERT)
    with pytest.raises(RefusedError):
        decoded(sent.schema_ref, sent.payload | change)


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_becomes_one_that_an_alarm_may_hold(text: str) -> None:
    alert = replace(ALERT, found=shown(text), subject=shown(text, WORD))
    sent = monitor_message(alert)
    assert decoded(sent.schema_ref, sent.payload) == alert
    shown(text).encode()
