"""The book for readers: a fill leads to its ticket and views."""

from dataclasses import replace

import pytest
from book_rows import put_book

from lotus_store.databases import Databases
from lotus_store.facts.book import book_lines, book_story
from lotus_store.facts.execution import window_behind


@pytest.mark.parametrize("name", ["f1", "o0", "p", "d"])
def test_a_fill_leads_to_the_ticket_and_the_views_of_its_coin(databases: Databases, name: str) -> None:
    put_book(databases)
    story = book_story(databases, name)
    assert story is not None
    assert [view["event_id"] for view in story.views] == ["e1"]
    text = "\n".join(book_lines(story))
    for told in ("fill f1", "TICKET t", "TARGET BTC: weight +0.00000 to +0.20000", "VIEW e1 of det:sr@1", "relaxed: "):
        assert told in text
    assert story.as_json()["ticket"]["equity_usd"] == 1e5


def test_what_claims_did_to_a_view_is_told(databases: Databases) -> None:
    put_book(databases)
    story = book_story(databases, "d")
    assert story is not None
    claims = {"claim_bps": 5.0, "level": 1, "slope": 0.4, "added_bps": 2.0}
    text = "\n".join(book_lines(replace(story, views=[story.views[0] | {"claims": claims}])))
    assert "its braids claim +5.00 bps at level 1, kept by 0.400: +2.00 bps of it" in text
    assert "claim" not in "\n".join(book_lines(story))


def test_wishes_and_urgency_are_told_where_a_decision_heard_them(databases: Databases) -> None:
    put_book(databases)
    story = book_story(databases, "d")
    assert story is not None
    assert "urgency" not in (silent := "\n".join(book_lines(story)))
    assert "OVERLAY" not in silent
    wish = {"act_id": "w", "author": "ada", "log": 0.05, "reason": "listing"}
    nudges = [{"coin": "BTC", "log": 0.05, "wishes": [wish]}, {"coin": "ETH", "log": 0.1, "wishes": []}]
    asymmetry = {"score": 0.8, "drivers": {"Z_OI": 2.0}, "urgency": "immediate"}
    targets = [target | {"asymmetry": asymmetry} for target in story.ticket["targets"]]
    ticket = dict(story.ticket) | {"targets": targets, "curation": {"nudges": nudges}}
    text = "\n".join(book_lines(replace(story, ticket=ticket)))
    assert "asymmetry 0.800 (Z_OI 2.00), urgency immediate" in text
    assert "OVERLAY BTC: expectation x1.0513 (log +0.0500)\n    wish w of ada: log +0.0500, listing" in text
    assert "OVERLAY ETH" not in text


def test_a_window_is_no_story_of_the_book(databases: Databases) -> None:
    assert book_story(databases, "nobody") is None
    assert window_behind(databases, "nobody") == "nobody"
