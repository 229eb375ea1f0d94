"""Errors name what was found, what was expected and the likely cause, and never a password."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.errors import ConfigError, ExpressionError, LotusError, redacted

WORDS = st.text("abcdefXYZ0123456789", min_size=1)


def test_a_message_has_the_three_parts_that_were_given() -> None:
    assert str(LotusError("2 days", "1 day", "a typing error")) == (
        "2 days; expected: 1 day; likely cause: a typing error"
    )
    assert str(LotusError("2 days", cause="a typing error")) == "2 days; likely cause: a typing error"
    assert str(LotusError("2 days")) == "2 days"


@settings(deadline=None)
@given(WORDS, WORDS)
def test_no_part_of_a_message_shows_the_password_of_an_address(user: str, secret: str) -> None:
    secret = f"~{secret}~"  # in no other part of the message
    address = f"postgresql://{user}:{secret}@host/lotus"
    error = LotusError(address, address, address)
    for text in (str(error), error.found, error.expected, error.cause):
        assert secret not in text
        assert f"postgresql://{user}:***@host/lotus" in text


@pytest.mark.parametrize(
    "given_text", ["password=hunter2 user=u", "PASSWORD = 'hunter2' user=u", r"password='a \'hunter2' user=u"]
)
def test_a_password_written_as_a_word_is_taken_out(given_text: str) -> None:
    assert "hunter2" not in redacted(given_text)
    assert redacted(given_text).endswith("user=u")


def test_an_expression_error_shows_its_place_and_a_suggestion() -> None:
    error = ExpressionError(
        "no column 'spred'", "a column", line=2, column=7, excerpt="  spred\n  ^", suggestion="spread"
    )
    assert isinstance(error, ConfigError)
    assert str(error).splitlines() == [
        "line 2, column 7: no column 'spred'; expected: a column", "  spred", "  ^", "try: spread"
    ]  # fmt: skip
