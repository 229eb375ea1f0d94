"""An arming holds for one account, on the terms that were agreed to, until its time."""

from dataclasses import replace
from pathlib import Path

import pytest

from lotus.timebase import DAY_MS
from lotus_desk.safety.arming import Arming, arm, arming_fault, arming_path, disarm, read_arming, terms_hash, was_armed

ARMING = Arming("book", "0xab", 1_000 * DAY_MS, "terms", "99")


def test_an_arming_is_read_as_it_was_written_by_its_owner_alone(tmp_path: Path) -> None:
    arm(tmp_path, ARMING)
    assert read_arming(tmp_path, "book") == ARMING
    assert arming_path(tmp_path, "book").stat().st_mode & 0o777 == 0o600
    disarm(tmp_path, "book")
    disarm(tmp_path, "book")
    assert not was_armed(tmp_path, "book")


@pytest.mark.parametrize("text", ["", "[]", '{"account": "book"}', "no json"])
def test_a_file_of_another_form_arms_nothing(tmp_path: Path, text: str) -> None:
    arm(tmp_path, ARMING)
    arming_path(tmp_path, "book").write_text(text)
    assert read_arming(tmp_path, "book") is None


def test_it_holds_only_for_its_address_its_terms_and_its_time() -> None:
    now_ms = ARMING.until_ms - 1
    assert arming_fault(ARMING, "0xab", "terms", now_ms) == ""
    assert "not armed" in arming_fault(None, "0xab", "terms", now_ms)
    fault = arming_fault(replace(ARMING, address="0xcd", terms="other"), "0xab", "terms", now_ms + 1 + DAY_MS)
    assert [part.split(";")[0][:14] for part in fault.split("; ") if not part.startswith("expected")] == [
        "it was armed f", "caps, settings", "its arming end",
    ]  # fmt: skip
    assert "1.0 days ago" in fault


def test_terms_are_the_same_in_any_order() -> None:
    assert terms_hash({"a": "1", "b": "2"}) == terms_hash({"b": "2", "a": "1"}) != terms_hash({"a": "1", "b": "3"})
