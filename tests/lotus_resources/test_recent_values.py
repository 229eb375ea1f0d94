"""What a home remembers is bounded by kind, and never that of another home."""

from lotus_resources.recent_values import RecentKind, RecentValues

PAIR, OTHER = RecentKind("pair", 2), RecentKind("other", 1)


def test_the_least_recently_used_value_of_a_kind_goes_first() -> None:
    recent = RecentValues()
    for key in ("a", "b"):
        assert recent.get(PAIR, (key,), lambda key=key: key) == key
    assert recent.get(PAIR, ("a",), lambda: "made again") == "a"
    recent.get(OTHER, ("x",), lambda: "x")
    recent.get(PAIR, ("c",), lambda: "c")
    assert recent.get(PAIR, ("b",), lambda: "made again") == "made again"
    assert recent.get(OTHER, ("x",), lambda: "made again") == "x"


def test_a_value_put_takes_the_place_of_the_one_before() -> None:
    recent = RecentValues()
    recent.put(OTHER, ("x",), 1)
    assert recent.put(OTHER, ("x",), 2) == recent.get(OTHER, ("x",), lambda: 3) == 2
    assert RecentValues().get(OTHER, ("x",), lambda: 3) == 3


def test_a_value_is_found_without_being_made_and_one_that_is_taken_is_kept_no_longer() -> None:
    recent = RecentValues()
    assert recent.find(OTHER, ("x",)) is None
    recent.put(OTHER, ("x",), 1)
    assert recent.find(OTHER, ("x",)) == recent.take(OTHER, ("x",), lambda: 2) == 1
    assert recent.find(OTHER, ("x",)) is None
    assert recent.take(OTHER, ("x",), lambda: 2) == 2
    assert recent.find(OTHER, ("x",)) is None, "what is made to be taken is not kept"
