"""A header with more coins than the index holds is refused."""

import pytest

from lotus.errors import TapeError
from lotus_store.tape.header import HeaderAsset, TapeHeader, decode_header, encode_header


def test_a_header_with_more_coins_than_the_index_holds_is_refused() -> None:
    header = TapeHeader("t", "tests", tuple(HeaderAsset(f"C{k}", 2) for k in range(32_768)))
    with pytest.raises(TapeError, match=r"32768 coins.*at most 32767"):
        decode_header(encode_header(header), "header.json")
