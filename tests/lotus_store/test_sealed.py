"""Sealed files: what was written is read, a file of before too, and no changed bit gives other values."""

import msgspec
import pytest

from lotus_store.sealed import seal_json, seal_text, unseal_json, unseal_text


class Index(msgspec.Struct, frozen=True):
    name: str
    lines: int
    hours: tuple[tuple[str, str], ...] = ()


INDEX = Index("é000001", 12, (("08:00", "14:00"),))
TEXT = '{"a": [1, 2],\n "é": "x"}'


def test_what_was_sealed_is_read_and_so_is_a_file_of_before() -> None:
    assert unseal_json(seal_json(INDEX, 1), Index) == INDEX
    assert unseal_json(msgspec.json.encode(INDEX), Index) == INDEX
    assert unseal_text(seal_text(TEXT)) == TEXT
    assert unseal_text(TEXT.encode()) == TEXT


def test_no_changed_bit_gives_other_values() -> None:
    whole = seal_json(INDEX, 1)
    refused = 0
    for at in range(8 * len(whole)):
        raw = bytearray(whole)
        raw[at // 8] ^= 1 << at % 8
        try:
            assert unseal_json(bytes(raw), Index) == INDEX
        except msgspec.MsgspecError:
            refused += 1
    assert refused > 4 * len(whole)


def test_no_changed_bit_of_a_text_is_taken_for_the_text() -> None:
    whole = seal_text(TEXT)
    for at in range(8 * len(whole)):
        raw = bytearray(whole)
        raw[at // 8] ^= 1 << at % 8
        with pytest.raises(ValueError, match=r"seal|codec"):
            unseal_text(bytes(raw))
