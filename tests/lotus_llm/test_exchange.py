"""Cassettes: byte for byte, of one request, and refused when damaged."""

from pathlib import Path

import pytest
from port_bed import endpoint

from lotus.coprocessor.model.calls import CallVerdict
from lotus.coprocessor.model.port import Prompt
from lotus.coprocessor.model.prompt_text import messages_of
from lotus.errors import ConfigError
from lotus_llm.client import ModelAnswer
from lotus_llm.exchange import Cassettes
from lotus_llm.wire import request_of

HERE = endpoint("http://127.0.0.1:1/v1")
REQUEST, OTHER = (request_of(HERE, messages_of(Prompt(wanted=n))) for n in (1, 2))


@pytest.mark.parametrize("body", [b"", b'{"a": "\xc3\xa9"}', b"\xff\x00", b"\r\n\t"])
def test_an_exchange_comes_back_byte_for_byte(body: bytes, tmp_path: Path) -> None:
    answer = ModelAnswer(CallVerdict.ANSWERED, 200, body, 12.5)
    cassettes = Cassettes(tmp_path / "llm")
    assert cassettes.find(REQUEST) is None
    cassettes.write(HERE, REQUEST, answer)
    assert cassettes.find(REQUEST) == answer
    assert [path.name for path in (tmp_path / "llm").iterdir()] == [f"{REQUEST.request_hash}.json"]


def test_a_damaged_or_moved_cassette_is_refused(tmp_path: Path) -> None:
    cassettes = Cassettes(tmp_path)
    cassettes.write(HERE, REQUEST, ModelAnswer(CallVerdict.ANSWERED, 200, b"{}", 1.0))
    text = cassettes.path(REQUEST).read_text()
    cassettes.path(OTHER).write_text(text)
    with pytest.raises(ConfigError, match="of another request"):
        cassettes.find(OTHER)
    for damaged in ("", "[]", text[:-30], text.replace("answered", "nosuch"), text.replace('"body"', '"bodi"')):
        cassettes.path(REQUEST).write_text(damaged)
        with pytest.raises(ConfigError, match="cannot be read"):
            cassettes.find(REQUEST)
    cassettes.path(REQUEST).write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is no text"):
        cassettes.find(REQUEST)
