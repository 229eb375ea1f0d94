"""Who may ask a server on loopback: its own names and pages, and programs; no other host, origin or site."""

import pytest

from lotus.loopback import decoded, own_name, stranger

OWN = {"host": "127.0.0.1:3000"}


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"host": "localhost:3000", "origin": "http://localhost:3000", "sec-fetch-site": "same-origin"},
        OWN | {"sec-fetch-site": "none"},
        {"host": f"{own_name(8000)}:3000", "origin": f"http://{own_name(8000)}:3000"},
    ],
)
def test_own_programs_and_pages_are_no_strangers(headers: dict[str, str]) -> None:
    assert stranger(headers, 3000) == (0, "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"host": "127.0.0.1"}, 400),
        ({"host": "127.0.0.1:3001"}, 400),
        ({"host": "localhost.evil.example:3000"}, 400),
        ({"host": "lotus-8000.localhost.evil.example:3000"}, 400),
        ({"host": "lotus-x.localhost:3000"}, 400),
        ({"host": "lotus-8000.localhost"}, 400),
        (OWN | {"origin": f"http://{own_name(8000)}:3000"}, 403),
        (OWN | {"origin": "http://evil.example"}, 403),
        (OWN | {"origin": "https://127.0.0.1:3000"}, 403),
        (OWN | {"origin": "null"}, 403),
        (OWN | {"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_strangers_are_refused(headers: dict[str, str], status: int) -> None:
    found, words = stranger(headers, 3000)
    assert found == status
    assert words


def test_header_names_are_read_in_any_case() -> None:
    assert decoded([(b"HOST", b"a:1"), (b"Origin", b"\xe9")]) == {"host": "a:1", "origin": "é"}
