"""A grammar is a whole table: every state is reached, has a time limit, and every symbol leads somewhere."""

import pytest

from lotus.errors import ConfigError
from lotus.experts.grammar import LIMIT_S, Grammar, read_grammar, seconds
from lotus.experts.source import read_source

TEXT = """states: [quiet, armed, gone]
symbols: {up: x > 1, down: x < 0}
transitions:
  quiet: {up: armed}
  armed: {down: gone, timeout: quiet}
  gone: {timeout: quiet}
limits: {armed: 5s, gone: 1min}
llr: {armed: 0.5, gone: 2}
"""


def read(text: str) -> Grammar:
    return read_grammar(read_source(text, "g.yaml").keyed(("states", "symbols", "transitions", "limits", "llr")))


def test_a_table_has_states_by_number_and_limits_in_seconds() -> None:
    grammar = read(TEXT)
    assert grammar.states == ("quiet", "armed", "gone")
    assert grammar.transitions == {(0, "up"): 1, (1, "down"): 2, (1, "timeout"): 0, (2, "timeout"): 0}
    assert grammar.limits_s == {1: 5.0, 2: 60.0}
    assert grammar.llr == {1: 0.5, 2: 2.0}


def test_the_parameters_of_the_machine_put_the_way_back_first() -> None:
    """A row has (back to quiet, up, down, timeout); limits follow in frames of 200 ms, 0 for the quiet state."""
    table = ((-1, 1, -1, -1), (0, -1, 2, 0), (0, -1, -1, 0))
    assert read(TEXT).params(200) == (3.0, *(float(x) for row in table for x in row), 0.0, 25.0, 300.0)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("[quiet, armed, gone]", "[quiet]", "1 states; expected: 2 to"),
        ("down: gone,", "", "state 'gone' cannot be reached"),
        ("gone: {timeout: quiet}", "gone: {up: quiet}", "state 'gone' has no timeout"),
        ("{armed: 5s, gone: 1min}", "{gone: 1min}", "timeout of armed, which has no limit"),
        ("down: x < 0", "down: x < 0, flat: x == 0", "symbol 'flat' leads nowhere"),
        ("down: gone", "sideways: gone", "unknown symbol 'sideways'"),
        ("down: gone", "down: lost", "unknown state 'lost'; expected: quiet, armed, gone"),
        ("armed: 0.5", "quiet: 0.5", "a weight of the quiet state"),
        ("armed: 0.5", "armed: -0.5", "a weight of the quiet state, or a negative one"),
        ("symbols: {", "symbols: {timeout: x > 2, ", "timeout is the limit's own"),
        ("armed: 5s", "armed: 5bps", "expected: a duration such as 4s"),
        ("armed: 5s", "armed: 3h", "above 0 and at most 7200 s"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(old: str, new: str, found: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as error:
        read(TEXT.replace(old, new, 1))
    assert found in str(error.value)


def test_a_duration_may_be_as_long_as_the_limit() -> None:
    part = read_source("a: 2h", "g.yaml").mapping()["a"]
    assert seconds(part, LIMIT_S) == LIMIT_S
