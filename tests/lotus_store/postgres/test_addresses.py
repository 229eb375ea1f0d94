"""No message, trace or repr holds the password of a database's address, however the address is mistyped."""

import traceback
from pathlib import Path

import pytest
from click.testing import CliRunner

from lotus.errors import LotusError
from lotus_cli.main import main
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Databases

MISTYPED = (
    "postgres//u:SECRET@127.0.0.1:1/x",
    "postgres:/u:SECRET@127.0.0.1:1/x",
    "postgresql://u:SECRET@127.0.0.1:1/x",
    "postgresql://u:p@SECRET@127.0.0.1:1/x",
    "postgresql://u:p/SECRET@127.0.0.1:1/x",
    "postgresql://u:SECRET/q@127.0.0.1:1/x",
    "postgresql://u:p SECRET@127.0.0.1:1/x",
    "postgresql://u:S%45CRET@127.0.0.1:1/x",
    "postgresql://u:SECRET@127.0.0.1:x/x",
    "postgresql://127.0.0.1:1/x?user=u&password=SECRET",
    "u:SECRET@127.0.0.1",
    "host=127.0.0.1 port=1 password=SECRET",
    "host=127.0.0.1 port=1 password='p SECRET'",
    "host=127.0.0.1 port=1 password='p SECRET",
    "host=127.0.0.1 port=1 password SECRET",
    "host=127.0.0.1 port=1 user:u password:SECRET",
)


@pytest.mark.parametrize("address", MISTYPED)
def test_an_address_never_shows_its_password(address: str, tmp_path: Path) -> None:
    words = ["doctor", "--home", str(tmp_path / "home")]
    done = CliRunner().invoke(main, words, env={"LOTUS_PG_DSN": address})
    assert done.exit_code in (1, 3)
    assert "SECRET" not in done.output
    with pytest.raises(LotusError) as caught:
        Databases(Settings(tmp_path / "home", server_dsn=address)).open() if done.exit_code == 1 else _load(address)
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))


def _load(address: str) -> None:
    load_settings(server_dsn=address)


def test_neither_the_settings_nor_a_wrong_key_of_the_file_show_one(tmp_path: Path) -> None:
    held = Settings(tmp_path, server_dsn="postgresql://u:SECRET@h/x", dsns={"sig": "host=h password=SECRET"})
    assert "SECRET" not in repr(held)
    (tmp_path / "lotus.toml").write_text('[ledger]\ndns = "host=h password=SECRET"\n')
    with pytest.raises(LotusError, match=r"ledger\.dns") as caught:
        load_settings(config=tmp_path / "lotus.toml")
    assert "SECRET" not in str(caught.value)
