"""Exported modules need nothing of Lotus, advise as the report does, and hostile names stay text in them."""

import importlib
import json
import os
import subprocess
import sys
import threading
import time
import types
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lessons_of import loaded

import lotus_lab as lab
from lotus.errors import BeliefError, ConfigError
from lotus_lab.export.carried import CarriedLessons, hash_of
from lotus_lab.export.render import TARGETS, Target, rendered

FEATURES = ["x_flow", "x_vol", "x_gap", "x_regime"]


@pytest.fixture(scope="module")
def tomorrow(events: pd.DataFrame) -> pd.DataFrame:
    """Return ten thousand windows of the day after the last one."""
    rows = events.sample(10_000, random_state=2, replace=True).reset_index(drop=True)
    day = events["ts"].max().normalize() + pd.Timedelta(days=1)
    return rows.assign(ts=day + (rows["ts"] - rows["ts"].dt.normalize()))


def test_the_module_advises_as_the_report(report: lab.Report, tomorrow: pd.DataFrame, tmp_path: Path) -> None:
    module = loaded(report.export(tmp_path / "lessons.py"))
    said = report.advice(tomorrow[["ts", "asset", "detector_id", *FEATURES]])
    own = tomorrow["detector_id"] == "d0"
    assert said["tilt"][~own].eq(0).all()
    ms = tomorrow["ts"].dt.as_unit("ms").astype("int64")
    asked = zip(tomorrow["asset"], tomorrow[FEATURES].to_dict("records"), ms.tolist(), strict=True)
    wanted = list(zip(said["tilt"], said["lesson_ids"], said["claim_bps"], strict=True))
    for k, (asset, values, now_ms) in enumerate(asked):
        if own[k]:
            got = module.LESSONS.advise("d0", asset, values, now_ms)
            assert (got.tilt, got.lessons, got.claim_bps) == wanted[k]
    assert said["tilt"].gt(0).sum() > 500


def test_every_target_holds_the_same_lessons_and_needs_only_the_standard_library(
    report: lab.Report, tmp_path: Path
) -> None:
    held = json.loads(report.export(tmp_path / "l.json", "json").read_text())
    assert CarriedLessons(held).data["hash"] == held["hash"]
    for target in ("python", "freqtrade", "nautilus"):
        path = report.export(tmp_path / f"{target}.py", target)  # type: ignore[arg-type]
        done = subprocess.run([sys.executable, "-I", "-S", path], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert loaded(path).LESSONS.data == held
    assert (TARGETS, report.facts["lessons"][0]["rule"] in path.read_text()) == (
        ("freqtrade", "nautilus", "python", "json"),
        True,
    )
    for wrong, words in ((tmp_path / "no" / "a.py" / "b.py", "folder"), (tmp_path, "folder")):
        (tmp_path / "no").mkdir(exist_ok=True)
        (tmp_path / "no" / "a.py").touch()
        with pytest.raises(ConfigError, match=words):
            report.export(wrong)
    with pytest.raises(ConfigError, match="target 'rust'"):
        rendered(held, "rust")


def test_adapters_speak_the_words_of_their_bots(report: lab.Report, events: pd.DataFrame, tmp_path: Path) -> None:
    freqtrade = loaded(report.export(tmp_path / "f.py", "freqtrade"))
    nautilus = loaded(report.export(tmp_path / "n.py", "nautilus"))
    now = (events["ts"].max().normalize() + pd.Timedelta(days=1, hours=3)).to_pydatetime()
    edge = report.recent.edges(report.study.vocabulary.features[0])["BTC"][-1]
    row = pd.Series({"x_flow": edge + 1, "x_vol": 0.0, "x_gap": np.nan, "x_regime": "calm", "close": 5.0})
    tilt = report.advised[0].tilt
    assert freqtrade.tilt_of("d0", "BTC/USDT:USDT", row, now) == tilt
    assert freqtrade.tilt_of("d0", "DOGE/USDT", row, now) == 0.0
    assert nautilus.tilt_of("d0", "BTC-PERP.HYPERLIQUID", row.to_dict(), int(now.timestamp() * 1e9)) == tilt
    with pytest.raises(freqtrade.StaleLessons, match="export the lessons again"):
        freqtrade.tilt_of("d0", "BTC/USDT", row, datetime(2031, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("target", ["python", "freqtrade", "nautilus"])
def test_a_module_that_was_edited_anywhere_is_refused(
    report: lab.Report, tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = report.export(tmp_path / "l.py", target)
    text = path.read_text("utf-8")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert loaded(path).LESSONS, "ends of lines are those of the machine"
    for old, new in (
        ("MAX_GATE = 2.0", "MAX_GATE = 9.0"), ("    return tilt, min(max(gate", "    return tilt, (max(gate"),
        ("do not edit it", "do edit it"), ('check_source(globals(), "', 'check_source(globals(), "0'),
        ("LESSONS = ", "MAX_GATE = 9.0\nLESSONS = "), (text.splitlines()[-1], ""),
    ):  # fmt: skip
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")
        with pytest.raises(Exception, match="edited, or cut short"):
            loaded(path)
    made = types.ModuleType("lotus_lessons")
    with pytest.raises(Exception, match="no source to check"):
        exec(text, made.__dict__)
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as packed:
        packed.writestr("packed_lessons.py", text)
    monkeypatch.syspath_prepend(tmp_path / "l.zip")
    assert importlib.import_module("packed_lessons").LESSONS
    monkeypatch.delitem(sys.modules, "packed_lessons")


@pytest.mark.parametrize("name", ['"""; import os #', "\\", "\\N{DIGIT ONE}", "{x}", "καλή 🙂", "'", "%s"])
def test_hostile_names_stay_text(name: str, events: pd.DataFrame, tmp_path: Path) -> None:
    own = events[events["detector_id"] == "d0"]
    calm = np.where(own["x_regime"] == "calm", name, "wild")
    report = lab.learn(own.assign(detector_id=name, x_regime=calm))
    module = loaded(report.export(tmp_path / "l.py"))
    assert list(module.LESSONS.data["detectors"]) == [name]
    assert module.LESSONS.features[2]["values"].keys() == {name, "wild"}
    assert "os" not in vars(module)


def test_no_lesson_is_no_export(events: pd.DataFrame, tmp_path: Path) -> None:
    report = lab.learn(events[events["detector_id"] == "d1"])
    with pytest.raises(BeliefError, match="no lesson passed"):
        report.export(tmp_path / "l.py")
    assert not list(tmp_path.iterdir())


def test_a_newer_export_is_taken_without_a_restart(
    report: lab.Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, newer = report.export(tmp_path / "lessons.py", "freqtrade"), tmp_path / "newer.py"
    lessons = loaded(path).LESSONS
    first = lessons.data["hash"]
    data = json.loads(json.dumps(lessons.data))
    data["until_ms"] += 86_400_000
    newer.write_text(rendered(data | {"hash": hash_of(data)}, "freqtrade"))
    now = time.monotonic()
    for minutes, text, wanted in (
        (0, newer.read_text(), first),  # no look within a minute
        (2, newer.read_text()[:-900], first),  # cut short
        (4, newer.read_text().replace(str(data["until_ms"]), "9" * 13), first),
        (6, "LESSONS = 1 +", first),
        (8, "import os\nos.abort()\n", first),  # nothing of it is run
        (10, newer.read_text(), hash_of(data)),
    ):
        path.write_text(text)
        os.utime(path, ns=(minutes + 1, minutes + 1))
        monkeypatch.setattr(time, "monotonic", lambda minutes=minutes: now + 60.0 * minutes)
        assert lessons.advise("d1", "BTC", {}, lessons.data["from_ms"]).tilt == 0.0
        assert lessons.data["hash"] == wanted, minutes
    assert caplog.text.count("holds no newer lessons") == 4
    path.unlink()
    monkeypatch.setattr(time, "monotonic", lambda: now + 6000.0)
    assert lessons.advise("d1", "BTC", {}, lessons.data["from_ms"]).tilt == 0.0, "a file that is gone changes nothing"


def test_a_window_of_the_daemon_is_advised_within_a_minute(report: lab.Report, tmp_path: Path) -> None:
    module = loaded(report.export(tmp_path / "lessons.py", "freqtrade"))
    nautilus = loaded(report.export(tmp_path / "n.py", "nautilus"))
    vector = next(row for row in module.LESSONS.data["vector"] if row["advice"][0])
    window = {"detector_id": vector["detector"], "bins": vector["bins"], "theta1": 0.5, "group": 255, "asset": "BTC"}
    now = datetime.fromtimestamp(vector["now_ms"] / 1000, UTC)
    answered: list[dict[str, object]] = []
    with pages_of(answered) as place:
        home = module.HomeWindows(place, "the token")
        for age_ms in (0, 60_000):
            answered[:] = [window | {"window_end_ms": vector["now_ms"] - age_ms, "side": -1}]
            said = module.tilt_beside(home, vector["detector"], "BTC/USDT:USDT", now)
            assert said == (pytest.approx(vector["advice"][0]), -1)
            said = nautilus.tilt_beside(home, vector["detector"], "BTC-PERP.HYPERLIQUID", vector["now_ms"] * 1_000_000)
            assert said == (pytest.approx(vector["advice"][0]), -1)
        for age_ms in (-1, 60_001):
            answered[:] = [window | {"window_end_ms": vector["now_ms"] - age_ms, "side": -1}]
            with pytest.raises(module.StaleLessons, match="window that ended"):
                module.tilt_beside(home, vector["detector"], "BTC/USDT:USDT", now)
        answered.clear()
        with pytest.raises(module.StaleLessons, match="no daemon runs"):
            module.tilt_beside(home, vector["detector"], "BTC/USDT:USDT", now)
    with pytest.raises(module.StaleLessons, match="does not answer"):
        module.tilt_beside(home, vector["detector"], "BTC/USDT:USDT", now)


@contextmanager
def pages_of(windows: list[dict[str, object]]) -> Iterator[str]:
    """Serve windows as the console's API does, to whom shows the token."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["authorization"] == "Bearer the token"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"windows": windows}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
