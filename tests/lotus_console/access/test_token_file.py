"""A token's file: its owner's alone, no link, and a token that nobody guesses."""

import secrets
from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus_console.access.token_file import read_token


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("token", ["0f1e2d3c4b5a69788796a5b4c3d2e1f0", "Zk3-vQ_8xLr2TnW5yBj7HcUd1SgMfPoA"])
def test_a_drawn_token_is_taken_without_the_space_around_it(tmp_path: Path, token: str) -> None:
    assert read_token(written(tmp_path / "token", f"{token}\n")) == token


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="others could read it"):
        read_token(written(tmp_path / "token", secrets.token_hex(32), mode))


@pytest.mark.parametrize("text", ["", "secret", "a" * 64, "0123456789abcdef", "two words " * 9, "é" * 40])
def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="token of"):
        read_token(written(tmp_path / "token", text))


def test_a_link_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(written(tmp_path / "token", secrets.token_hex(32)))
    for place in (tmp_path / "link", tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError, match="token file"):
            read_token(place)
