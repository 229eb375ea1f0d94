"""`lotus import`, `tape`, `verify`: recordings become tapes, once, and their gaps are told."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from small_home import Cli, Facts

import lotus_live.parity
from lotus_store.lake import Lake

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")
ROOT = Path(__file__).resolve().parents[2]
OUTAGES = "hyperliquid-2025-09-03-outages/frames.jsonl.gz"
RECORDINGS = ("hyperliquid-2025-01-26-raw/btcusd_20250126.gz", OUTAGES, "hyperliquid-2025-09-04/frames.jsonl.gz")


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files}


def test_importing_twice_changes_nothing(lotus: Cli, segment: Path) -> None:
    first = lotus.json("import", "--tape", "twice", segment)
    before = tree(lotus.home / "tape" / "twice")
    again = lotus.json("import", "--tape", "twice", segment)
    assert first["added"] == again["unchanged"] == ["2026-01-08"]
    assert first["unchanged"] == again["added"] == []
    assert first["segments"] == again["segments"]
    assert sum(s["lines"] for s in first["segments"]) == first["lines"]
    assert tree(lotus.home / "tape" / "twice") == before


def test_tapes_are_listed_and_only_named_days_would_go(lotus: Cli) -> None:
    listed = {t["tape"]: t for t in lotus.json("tape", "list")["tapes"]}
    mine = listed["demo-11"]
    assert mine["coins"] == ["BTC", "ETH"]
    assert len(mine["days"]) == 4
    assert "demo-11" in lotus("tape", "list").stdout
    before = tree(lotus.home / "tape" / "demo-11")
    assert lotus.json("tape", "prune", "--tape", "demo-11", "--dry-run") == {
        "tape": "demo-11",
        "would_go": [],
        "kept": 4,
    }
    config = lotus.home / "few-days.toml"
    config.write_text("[tape]\nkeep_days = 1\n")
    would = lotus.json("tape", "prune", "--tape", "demo-11", "--dry-run", LOTUS_CONFIG=str(config))
    assert would["would_go"] == ["2026-01-05", "2026-01-06"]
    assert tree(lotus.home / "tape" / "demo-11") == before


def test_a_tape_is_split_once_and_still_reads_as_it_was(lotus: Cli, segment: Path) -> None:
    lotus("import", "--tape", "divided", segment)
    before = tree(lotus.home / "tape" / "divided" / "2026-01-08")
    assert lotus.json("tape", "split", "divided", "--shards", "2") == {
        "tape": "divided", "shards": 2, "days": ["2026-01-08"],
    }  # fmt: skip
    assert lotus.json("tape", "split", "divided", "--shards", "2")["days"] == []
    assert tree(lotus.home / "tape" / "divided" / "2026-01-08") == before
    (mine,) = [t for t in lotus.json("tape", "list")["tapes"] if t["tape"] == "divided"]
    assert (mine["shards"], mine["days"]) == (2, ["2026-01-08"])
    assert "2 shards of BTC, ETH" in lotus("tape", "list").stdout


def test_pruning_deletes_whole_days(lotus: Cli, facts: Facts) -> None:
    segments = sorted((lotus.home / "tape" / "demo-11").glob("2026-01-0[567]/08*.zst"))
    lotus("import", "--tape", "pruned", *segments)
    config = lotus.home / "one-day.toml"
    config.write_text("[tape]\nkeep_days = 1\n")
    done = lotus.json("tape", "prune", "--tape", "pruned", LOTUS_CONFIG=str(config))
    assert (done["gone"], done["kept"]) == (["2026-01-05"], 2)
    again = lotus.json("tape", "prune", "--tape", "pruned", LOTUS_CONFIG=str(config))
    assert (again["gone"], again["kept"]) == ([], 2)


def test_a_day_of_tape_is_verified_and_an_altered_one_refused(lotus: Cli, segment: Path) -> None:
    told = lotus.json("verify", "tape", "--tape", "demo-11")
    short, whole = (lotus("verify", "tape", "--tape", "demo-11", *wide).stdout for wide in ((), ("--wide",)))
    assert len(short.splitlines()) < 40 < len(whole.splitlines())
    assert "14:00 to 14:08  8 minutes, " in short
    assert told["day"] == "2026-01-08"
    assert set(told["assets"]) == {"BTC", "ETH"}
    assert all(a["covered_share"] > 0.9 for a in told["assets"].values())
    assert len(told["minutes"]["asset"]) == len(told["minutes"]["share"])
    assert "% covered" in lotus("verify", "tape", "--tape", "demo-11").stdout
    lotus("import", "--tape", "altered", segment)
    (copy,) = (lotus.home / "tape" / "altered" / "2026-01-08").glob("*.zst")
    raw = bytearray(copy.read_bytes())
    raw[len(raw) // 2] ^= 0x01
    copy.write_bytes(raw)
    assert copy.name in lotus.refused("verify", "tape", "--tape", "altered")


def test_parity_of_a_segment(lotus: Cli, segment: Path) -> None:
    told = lotus.json("verify", "parity", segment)
    assert told["parity"] is True
    assert told["hash_live"] == told["hash_batch"]
    assert {"frames", "windows", "gaps"} <= set(told)


def test_a_difference_of_one_bit_fails_parity(lotus: Cli, segment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = lotus_live.parity.score_tape

    def doctored(*words: object) -> object:
        (day,) = real(*words)  # type: ignore[arg-type]
        events = dict(day.events)
        events["close_seq"] = events["close_seq"].copy()
        events["close_seq"][7] ^= 1
        return [replace(day, events=events)]

    monkeypatch.setattr("lotus_live.parity.score_tape", doctored)
    told = lotus.json("verify", "parity", segment, code=1)
    assert told["parity"] is False
    assert told["hash_live"] != told["hash_batch"]
    assert told["difference"] == "events of 2026-01-08"


@pytest.mark.process("the frozen day live and in batch")
def test_parity_of_the_frozen_day(fresh: Cli) -> None:
    told = fresh.json("verify", "parity", ROOT / "fixtures" / "demo-7.zst")
    assert told["parity"] is True
    assert told["hash_live"] == told["hash_batch"]
    assert told["days"] == ["2026-01-18"]
    golden = json.loads((ROOT / "fixtures" / "golden-day.json").read_text())
    assert told["frames"] == golden["frames"]["rows"]


@pytest.mark.recordings
@pytest.mark.parametrize("name", RECORDINGS)
def test_parity_and_import_of_the_real_recordings(lotus: Cli, recordings: Path, name: str) -> None:
    told = lotus.json("verify", "parity", recordings / name)
    assert told["parity"] is True
    tape = "real-" + name[12:22]
    first = lotus.json("import", "--tape", tape, recordings / name)
    assert first["lines"] == told["lines"]
    assert lotus.json("import", "--tape", tape, recordings / name)["added"] == []
    assert tape in {t["tape"] for t in lotus.json("tape", "list")["tapes"]}


@pytest.mark.recordings
def test_both_outages_of_every_coin_are_told_and_their_events_explained(lotus: Cli, recordings: Path) -> None:
    lotus("import", "--tape", "outages", recordings / OUTAGES)
    told = lotus.json("verify", "tape", "--tape", "outages")
    assert set(told["assets"]) == {"BTC", "ETH", "SOL", "WLFI"}
    for coin in told["assets"]:
        seconds = sorted(gap["seconds"] for gap in told["gaps"] if gap["coin"] == coin)
        assert seconds == pytest.approx([50, 249], abs=8)
    text = lotus("verify", "tape", "--tape", "outages").stdout
    assert text.count("\ngap WLFI: ") == 2
    day = told["day"]
    words = ("backfill", "--tape", "outages", "--branch", "outages", "--from", day, "--to", day)
    done = lotus.json(*words)
    assert done["rows"]["signal_events"] > 0
    text = lotus(*words).stdout
    assert all(value in text for value in done["hashes"].values())
    events = Lake(lotus.home / "lake").read("signal_events", "outages", day)
    one = np.flatnonzero((events["asset"] == "WLFI") & (events["s"] != 0.0))[0]
    story = lotus.json("explain", events["event_id"][one])
    assert story["exact"] is True
    assert (story["frames"]["tape"], story["frames"]["frames"]) == ("outages", 25)
