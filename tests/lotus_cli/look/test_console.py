"""`lotus console`: a token of the environment that could be guessed lets nobody in."""

from pathlib import Path

import pytest
from small_home import Cli


@pytest.mark.parametrize("token", ["short", "fifteen-letters", "a" * 40, "with a space in its long text"])
def test_a_token_that_could_be_guessed_is_refused(token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_PAGES_TOKEN", token)
    (tmp_path / "lotus.toml").touch()
    said = Cli(tmp_path)("console", "--home", str(tmp_path), code=3).stderr
    assert "the token of LOTUS_PAGES_TOKEN" in said
    assert "; expected: " in said
    assert token not in said
