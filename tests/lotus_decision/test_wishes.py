"""A wish is bounded, has an author and a reason, ends by itself, and is told in the ticket that heard it."""

from dataclasses import replace

import pytest
from states import decided, desk, view

from lotus.decision.curators import Nudge
from lotus.decision.ticket import ticket_of
from lotus.decision.wishes import Wish, check_wish
from lotus.errors import ConfigError

WISH = Wish("", "main", "BTC", 0.05, "ada", "listing on Friday", "2026-03-04", "2026-03-11")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"log": 0.11}, "log 0.11"),
        ({"log": 0.0}, "log 0.0"),
        ({"log": float("nan")}, "log nan"),
        ({"coin": "DOGE"}, "coin DOGE: one of BTC, ETH"),
        ({"author": " "}, "author"),
        ({"reason": "  "}, "a reason of 2"),
        ({"until_day": "2026-03-04"}, "days 2026-03-04 to 2026-03-04"),
        ({"until_day": "2026-04-04"}, "1 to 30 of them"),
    ],
)
def test_a_wish_out_of_its_bounds_is_refused_with_every_reason(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        check_wish(replace(WISH, **changes), ("ETH", "BTC"), 0.1)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"log 9.*days"):
        check_wish(replace(WISH, log=9.0, until_day="2027-01-01"), ("ETH", "BTC"), 0.1)


def test_a_wish_has_the_name_of_what_it_says() -> None:
    assert check_wish(WISH.named(), ("BTC",), 0.1) == WISH.named()
    assert WISH.named().act_id == WISH.named().named().act_id
    assert replace(WISH, log=0.04).named().act_id != WISH.named().act_id


def test_the_ticket_tells_what_was_heard_and_what_is_left_of_it() -> None:
    one = WISH.named().nudge
    far = replace(one, author="bob", log=0.5, act_id="f" * 32)
    ticket = ticket_of(decided(desk(), [view("BTC")], [], far, one, Nudge("bob", "PEPE", 0.1, "unknown here")))
    (nudge,) = ticket["curation"]["nudges"]
    assert (nudge["coin"], nudge["log"]) == ("BTC", 0.10)
    assert [(wish["author"], wish["log"], wish["act_id"]) for wish in nudge["wishes"]] == [
        ("ada", 0.05, one.act_id),
        ("bob", 0.5, "f" * 32),
    ]
    assert ticket_of(decided(desk(), [view("BTC")], []))["curation"]["nudges"] == []


def test_no_wish_makes_a_view_or_turns_one() -> None:
    ends = [ticket_of(decided(desk(), [view("BTC", sign)], [], WISH.nudge))["targets"] for sign in (1, -1)]
    assert [targets[0]["mu_bps"] > 0 for targets in ends] == [True, False]
    assert decided(desk(), [], [], WISH.nudge).targets == ()
