"""Who may ask a server on loopback: its own names and pages, and programs; no other host, origin or site."""

import pytest

from lotus.errors import ConfigError
from lotus.loopback import check_token, decoded, own_name, stranger

NAME = own_name("5e" * 16)
OWN = {"host": "127.0.0.1:3000"}


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"host": "localhost:3000", "origin": "http://localhost:3000", "sec-fetch-site": "same-origin"},
        OWN | {"sec-fetch-site": "none"},
        {"host": f"{NAME}:3000", "origin": f"http://{NAME}:3000"},
    ],
)
def test_own_programs_and_pages_are_no_strangers(headers: dict[str, str]) -> None:
    assert stranger(headers, 3000, NAME) == (0, "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"host": "127.0.0.1"}, 400),
        ({"host": "127.0.0.1:3001"}, 400),
        ({"host": "localhost.evil.example:3000"}, 400),
        ({"host": "lotus-5e.localhost.evil.example:3000"}, 400),
        ({"host": f"{own_name('5f' * 16)}:3000"}, 400),
        ({"host": NAME}, 400),
        (OWN | {"origin": f"http://{NAME}:3000"}, 403),
        (OWN | {"origin": "http://evil.example"}, 403),
        (OWN | {"origin": "https://127.0.0.1:3000"}, 403),
        (OWN | {"origin": "null"}, 403),
        (OWN | {"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_strangers_are_refused(headers: dict[str, str], status: int) -> None:
    found, words = stranger(headers, 3000, NAME)
    assert found == status
    assert words


def test_header_names_are_read_in_any_case() -> None:
    assert decoded([(b"HOST", b"a:1"), (b"Origin", b"\xe9")]) == {"host": "a:1", "origin": "é"}


@pytest.mark.parametrize("drawn", ["", "8000", "5E" * 16, "5e" * 17, "5e" * 15 + "\n.", "evil.example/" + "5e" * 16])
def test_a_name_is_of_32_digits_that_were_drawn(drawn: str) -> None:
    with pytest.raises(ConfigError, match="32 hexadecimal digits"):
        own_name(drawn)


@pytest.mark.parametrize("token", ["", "a b" * 20, "0123456789abcdef" * 1, "ab" * 40])
def test_a_token_that_could_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(ConfigError, match="THE_PLACE"):
        check_token(token, "THE_PLACE")
