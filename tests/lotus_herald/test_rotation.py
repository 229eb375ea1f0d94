"""Keys are rotated without losing what was signed, while senders speak."""

import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from lotus.modules.intents import Module
from lotus_cli.main import main
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_herald.rotation import create, rotate
from lotus_store.databases import Databases
from lotus_store.ledger.messages.identities import known_keys

from .conftest import alert


def say(databases: Databases, keys: Keys, *names: str) -> None:
    for name in names:
        with databases.connect("sig") as connection:
            send(connection, Module.SIG, alert(name), keys)


def test_what_was_signed_before_stays_valid_and_the_new_key_holds(databases: Databases, keys: Keys) -> None:
    old = create(databases, Module.SIG, keys)
    other_process = Keys(keys._folder)
    say(databases, other_process, "before")
    new = rotate(databases, Module.SIG, keys)
    assert new != old
    say(databases, other_process, "after")
    assert other_process.verify_key("sig") == new, "a replaced file is read again"
    assert carry(databases).delivered == {"dm": 2}
    with databases.connect("sig") as connection:
        first, second = known_keys(connection, "sig")
    assert (first.verify_key, second.verify_key) == (old, new)
    assert first.retired_at is not None
    assert second.retired_at is None


def test_a_retired_key_signs_nothing_new(databases: Databases, keys: Keys, tmp_path: Path) -> None:
    create(databases, Module.SIG, keys)
    stolen = Keys(tmp_path / "stolen")
    stolen.verify_key("sig")
    (tmp_path / "stolen" / "sig.key").write_bytes((keys._folder / "sig.key").read_bytes())
    rotate(databases, Module.SIG, keys)
    say(databases, stolen, "forged")
    say(databases, keys, "honest")
    carried = carry(databases)
    assert (carried.delivered, carried.dead) == ({"dm": 1}, {"bad_signature": 1})


def test_rotating_while_senders_speak_loses_nothing(databases: Databases, keys: Keys) -> None:
    create(databases, Module.SIG, keys)
    mine = [Keys(keys._folder) for _ in range(3)]
    senders = [
        threading.Thread(target=say, args=(databases, mine[who], *(f"{who}-{k}" for k in range(25))))
        for who in range(3)
    ]
    for thread in senders:
        thread.start()
    for _ in range(4):
        rotate(databases, Module.SIG, keys)
    for thread in senders:
        thread.join()
    assert carry(databases).delivered == {"dm": 75}


def test_the_commands(tmp_path: Path, pg_home: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    server = databases.owner_dsn("sig").replace("dbname=lotus_sig", "dbname=postgres")
    monkeypatch.setenv("LOTUS_PG_DSN", server)
    run = CliRunner()
    home = ["--home", str(tmp_path / "home")]
    for words in (["create", "dm"], ["rotate", "dm"]):
        done = run.invoke(main, ["keys", *words, *home])
        assert done.exit_code == 0, done.output
    listed = run.invoke(main, ["keys", "list", *home]).output.splitlines()
    assert len(listed) == 2
    assert "in use" not in listed[0]
    assert "in use" in listed[1]
    assert run.invoke(main, ["keys", "rotate", "nobody", *home]).exit_code == 2
