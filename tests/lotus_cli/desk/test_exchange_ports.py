"""A port that is taken is told in a sentence, not in a traceback."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_home import Cli


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of loopback on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command", [["exchange", "--speed", "manual"], ["replay", "tape.txt"], ["up"]])
def test_a_port_that_is_taken(command: list[str], taken: int, tmp_path: Path) -> None:
    (tmp_path / "lotus.toml").touch()
    tape = tmp_path / "tape.txt"
    tape.write_text(
        '1780000000000000000 {"channel":"bbo","data":{"coin":"BTC","time":1780000000000,"bbo":[null,null]}}\n'
    )
    words = [str(tape) if word == tape.name else word for word in command]
    done = Cli(tmp_path)(*words, "--port", str(taken), code=3)
    assert f"{taken}" in done.stderr
    assert "expected: a free port; likely cause: another server runs there" in done.stderr
    assert "Traceback" not in done.stderr
