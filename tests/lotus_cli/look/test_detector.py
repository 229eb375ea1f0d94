"""`lotus detector`: what it writes it accepts, what it measures is there, and mistakes are put at their place."""

import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lotus.detectors.registry import known_detectors, shipped_detectors
from lotus.detectors.spec import parse_spec
from lotus_cli.main import main
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals.live_log import finish_command, take_commands


def lotus(*words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["detector", *words], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


@pytest.mark.parametrize("family", [None, *(d.family for d in known_detectors())])
def test_what_new_writes_is_a_detector(tmp_path: Path, family: str | None) -> None:
    words = ["new", "mine", "--out", str(tmp_path)] + (["--family", family] if family else [])
    assert "lotus detector check" in lotus(*words).stdout
    spec = parse_spec((tmp_path / "mine.yaml").read_text(), "mine.yaml")
    assert (spec.detector_id, spec.version, spec.status) == ("mine", 1, "experimental")
    if family:
        shipped = next(d for d in known_detectors() if d.family == family)
        assert (spec.signal, spec.params, spec.nodes) == (shipped.signal, shipped.params, shipped.nodes)
    assert "there already" in lotus(*words, code=3).stderr


def test_list_shows_which_are_scored() -> None:
    found = json.loads(lotus("list", "--json").stdout)
    assert [name for name, row in found.items() if row["status"] == "active"] == [
        d.detector_id for d in shipped_detectors()
    ]
    assert "funding_kink" in lotus("list").stdout


def test_check_measures_and_shows_a_sanity_table(tmp_path: Path) -> None:
    lotus("new", "mine", "--out", str(tmp_path))
    facts = json.loads(lotus("check", str(tmp_path / "mine.yaml"), "--json").stdout)
    text = lotus("check", str(tmp_path / "mine.yaml")).stdout
    assert "nan" not in text
    assert sum(" all " in line for line in text.splitlines()) == 4
    assert "12 rows of single assets have too few signals" in text
    spec = parse_spec((tmp_path / "mine.yaml").read_text(), "mine.yaml")
    assert (facts["depth"], facts["kr_rho"], facts["spec_id"]) == (spec.depth, spec.rho, spec.spec_id)
    assert facts["state_bytes"] > 0
    assert all(0 < ns < 1e6 for ns in facts["ns"])
    assert 600_000 < facts["warm_up_ms"] < 900_000
    assert {row["horizon_s"] for row in facts["sanity"]} == {1, 5, 30, 300}
    assert any(row["spoken"] > 0 for row in facts["sanity"])


def test_a_mistake_is_put_at_its_line_and_column(tmp_path: Path) -> None:
    lotus("new", "mine", "--out", str(tmp_path))
    path = tmp_path / "mine.yaml"
    path.write_text(path.read_text().replace("ema(aggr_imb", "ema(agr_imb"))
    said = lotus("check", str(path), code=3).stderr
    for part in ("line 20, column 17", "mine.yaml, frames.pressure", "'agr_imb'", "try: aggr_imb"):
        assert part in said
    path.write_bytes(b"\xff\xfe")
    assert "UTF-8" in lotus("check", str(path), code=3).stderr


def test_use_refuses_what_the_daemon_would_refuse(tmp_path: Path) -> None:
    lotus("new", "mine", "--out", str(tmp_path))
    path = tmp_path / "mine.yaml"
    assert "a name of its own" in lotus("use", str(path), str(path), code=3).stderr
    path.write_text(path.read_text().replace("ema(aggr_imb", "ema(agr_imb"))
    assert "'agr_imb'" in lotus("use", str(path), code=3).stderr


def test_use_leaves_a_command_for_the_daemon_and_waits_for_its_answer(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTUS_PG_DSN", settings.server_dsn)
    lotus("new", "mine", "--out", str(tmp_path))
    words = ["use", str(tmp_path / "mine.yaml"), "--home", str(settings.home), "--json"]
    said = json.loads(lotus(*words, "--wait", "0").stdout)
    assert (said["trials"], said["answer"]) == (["mine"], None)
    with databases.connect("sig") as connection:
        (taken,) = take_commands(connection)
    assert taken[1:] == ("swap_detectors", {"detectors": [(tmp_path / "mine.yaml").read_text()]})

    def answer(result: dict[str, object]) -> None:
        with databases.connect("sig", autocommit=True) as connection:
            while not (waiting := take_commands(connection)):
                time.sleep(0.05)
            finish_command(connection, waiting[0][0], result)

    for result, code in (({"trials": ["mine"]}, 0), ({"error": "no such thing"}, 3)):
        daemon = threading.Thread(target=answer, args=(result,))
        daemon.start()
        done = lotus(*words, "--wait", "60", code=code)
        daemon.join()
        assert ("no such thing" in done.stderr) if code else json.loads(done.stdout)["answer"] == result
