"""`lotus_lab/tapes/score.py` on the demo's home: what the lake holds, bit for bit, from the tape alone."""

import re
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_home import Cli

import lotus_lab as lab
from lotus.errors import ConfigError, LakeError, TapeError
from lotus.outcomes.sanity import SANITY_TABLE
from lotus_store.day_tables import tables_of_day

TAPE = "demo-11"
DAYS = ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"]
BELIEFS = {"theta2", "phi_mult", "kr_delta_phi", "det_sigma", "ln_sigma_tilde", "u", "pi", "published", "fired", "gate"}
pytestmark = pytest.mark.process("in the home that `lotus demo` makes; days are decoded and scored anew")


@pytest.fixture
def demo(lotus: Cli, monkeypatch: pytest.MonkeyPatch) -> lab.RecordedTape:
    """The tape of the demo's home, under its settings."""
    monkeypatch.setenv("LOTUS_CONFIG", str(lotus.home / "lotus.toml"))
    return lab.tape(TAPE, home=lotus.home)


@pytest.fixture
def alone(demo: lab.RecordedTape, lotus: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> lab.RecordedTape:
    """The same tape beside an empty lake."""
    monkeypatch.setenv("LOTUS_LAKE", str(tmp_path / "an empty lake"))
    return lab.tape(TAPE, home=lotus.home)


def shipped_text(name: str) -> str:
    """Return the file of a shipped detector."""
    return (resources.files("lotus.detectors") / "specs" / f"{name}.yaml").read_text("utf-8")


def differing(a: pd.DataFrame, b: pd.DataFrame) -> set[str]:
    """Return the columns in which two frames are not the same bits."""
    assert list(a) == list(b)
    assert len(a) == len(b) > 0
    pairs = {name: (a[name].to_numpy(), b[name].to_numpy()) for name in a}
    return {n for n, (x, y) in pairs.items() if not np.array_equal(x, y, equal_nan=x.dtype.kind == "f")}


def test_frames_made_of_the_tape_are_those_of_the_lake(demo: lab.RecordedTape, alone: lab.RecordedTape) -> None:
    assert demo.days == DAYS
    assert demo.branch == TAPE
    for coin in demo.coins:
        made, held = alone.frames(coin, DAYS[1]), demo.frames(coin, DAYS[1])
        assert not differing(made, held)
        assert (made.dtypes == held.dtypes).all()


def test_a_shipped_detector_scores_as_the_lake_holds(demo: lab.RecordedTape) -> None:
    """All but what beliefs of the ledger decide; on days without one those too."""
    detector = tables_of_day(demo.lake, TAPE, DAYS[0]).detector_ids[0]
    scored = lab.score(demo, detector, DAYS)
    free = set()
    for day in DAYS:
        held = demo.events(day, detector=detector)
        made = scored.windows[scored.windows["event_id"].isin(held["event_id"])].reset_index(drop=True)
        fired = bool((held["fired"] != 0).any())
        allowed = BELIEFS if fired else set()
        assert differing(made, held) <= allowed | {"priors_ver"}
        free |= {day} if not fired else set()
        outcomes = demo.outcomes(day, detector=detector)
        mine = scored.payoffs[scored.payoffs["event_id"].isin(outcomes["event_id"])].reset_index(drop=True)
        assert differing(mine, outcomes) <= {"payoff_y", "fill_source"}
        table = pd.DataFrame(demo.lake.read(SANITY_TABLE.name, f"tape.{TAPE}", day))
        shown = table[(table["kind"] == "detector") & (table["series"] == detector)].reset_index(drop=True)
        own = scored.sanity[scored.sanity["day"] == day].drop(columns="day").reset_index(drop=True)
        assert not differing(own, shown)
    assert free, "no day ran without a belief"
    assert len(scored.windows) == len(demo.events(detector=detector))
    assert scored.verdict() in scored._repr_html_()


def test_a_detector_of_ones_own_is_scored_beside_them(
    demo: lab.RecordedTape, alone: lab.RecordedTape, tmp_path: Path
) -> None:
    """A copy under another name says the same and is paid the same; only what it has no history for is neutral."""
    name = tables_of_day(demo.lake, TAPE, DAYS[0]).detector_ids[0]
    folder = tmp_path / "my ideas"
    folder.mkdir()
    (folder / "own_idea.yaml").write_text(shipped_text(name).replace(name, "own_idea"))
    own, theirs = lab.score(demo, folder / "own_idea.yaml", DAYS[1:3]), lab.score(demo, name, DAYS[1:3])
    assert set(own.windows["detector_id"]) == {"own_idea"}
    for column in ("window_end_ms", "asset", "s", "spread_bps"):
        assert own.windows[column].equals(theirs.windows[column])
    assert own.payoffs["payoff_p"].equals(theirs.payoffs["payoff_p"])
    assert (own.cost.nodes, own.cost.state_bytes) == (theirs.cost.nodes, theirs.cost.state_bytes)
    without = lab.score(alone, folder / "own_idea.yaml", DAYS[1:2])
    first = own.windows.iloc[: len(without.windows)]
    assert without.windows["s"].equals(first["s"])
    with pytest.raises(LakeError, match="needs no such day"):
        alone.events()


def test_lines_come_as_they_were_received(demo: lab.RecordedTape, segment: Path) -> None:
    whole = demo.raw(DAYS[3])
    assert whole["received"].is_monotonic_increasing
    part = demo.raw(DAYS[3], "08:01", "08:01:30.5")
    assert (
        part["line"].tolist()
        == whole["line"][whole["received"].between(part["received"].iloc[0], part["received"].iloc[-1])].tolist()
    )
    assert part["received"].iloc[-1] < pd.Timestamp(f"{DAYS[3]} 08:01:30.5", tz="UTC")
    assert whole["line"].str.startswith("{").all()
    assert demo.raw(DAYS[3], "12:00", "12:01").empty


def test_what_is_not_there_is_told(demo: lab.RecordedTape, lotus: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("detector: {")
    (tmp_path / "no_text.yaml").write_bytes(b"\xff\xfe\x00")
    taken = tmp_path / "taken.yaml"
    name = tables_of_day(demo.lake, TAPE, DAYS[0]).detector_ids[0]
    taken.write_text(re.sub(r"^version: .*$", "version: 99", shipped_text(name), flags=re.M))
    for call, words in (
        (lambda: demo.frames("DOGE", DAYS[0]), "no coin 'DOGE'"),
        (lambda: demo.frames("BTC", "2020-01-01"), "no day '2020-01-01'"),
        (lambda: demo.raw("../../etc"), "no day"),
        (lambda: demo.raw(DAYS[0], "8 o'clock"), "HH:MM"),
        (lambda: demo.raw(DAYS[0], "08:00", "24:01"), "24:00 at most"),
        (lambda: lab.score(demo, name, []), "no day to score"),
        (lambda: lab.score(demo, name, ["2020-01-01"]), "no day"),
        (lambda: lab.score(demo, tmp_path / "none.yaml"), "No such file"),
        (lambda: lab.score(demo, tmp_path), "Is a directory"),
        (lambda: lab.score(demo, tmp_path / "wrong.yaml"), "wrong.yaml"),
        (lambda: lab.score(demo, tmp_path / "no_text.yaml"), "no text"),
        (lambda: lab.score(demo, taken), "a name of its own"),
        (lambda: lab.tape("nothing", home=lotus.home), "no tape 'nothing'"),
        (lambda: lab.tape("demo-7", home=tmp_path / "no home"), "no tape 'demo-7'"),
        (lambda: lab.tape("../demo", home=lotus.home), "tape name"),
    ):
        with pytest.raises((ConfigError, TapeError), match=words):
            call()
    assert not (tmp_path / "no home").exists()
