"""A detector of one's own on a tape alone: scored, paid and measured; what is wrong with it is told.

That a shipped one gives what the lake holds is `tests/lotus_cli/test_lab_tapes.py`.
"""

from pathlib import Path

import numpy as np
import pytest

import lotus_lab as lab
from lotus.detectors.registry import known_detectors
from lotus.errors import ConfigError, TapeError
from lotus_lab.tapes import day

TEXT = """
detector_id: own_idea
family: own_idea
version: 1
idea: Takers pull the price.
horizon: 30s
band: 20s..160s
best_phase_deg: 270
params: {span: 5s, least: 0.1}
frames: {pressure: "ema(aggr_imb, span)"}
signal: where(abs(pressure) >= least, pressure, 0)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A detector's file in a folder with a space."""
    path = tmp_path / "my ideas" / "own.yaml"
    path.parent.mkdir()
    path.write_text(TEXT)
    return path


def test_it_is_scored_paid_and_measured(small: lab.RecordedTape, file: Path) -> None:
    scored = lab.score(small, str(file), small.days)
    assert scored.days == tuple(small.days)
    spoken = scored.windows["s"] != 0
    assert spoken.any()
    assert (scored.windows["detector_id"] == "own_idea").all()
    assert scored.windows["event_id"].is_unique
    paid = scored.payoffs[scored.payoffs["status"] == "ok"]
    assert np.isfinite(paid["payoff_p"]).sum() > 10
    assert set(scored.sanity["day"]) == set(small.days)
    assert scored.cost.state_bytes > 0
    assert f"{int(spoken.sum()):,} of {len(spoken):,}" in scored.verdict()


def test_days_are_scored_alike_alone_and_together(small: lab.RecordedTape, file: Path) -> None:
    both, last = lab.score(small, file, small.days), lab.score(small, file)
    assert last.days == (small.days[1],)
    assert last.windows.equals(both.windows[-len(last.windows) :].reset_index(drop=True))


def test_a_resting_entry_is_paid_as_it_rests(small: lab.RecordedTape, file: Path, tmp_path: Path) -> None:
    resting = tmp_path / "resting.yaml"
    resting.write_text(TEXT + "entry: {style: join, fallback: skip}\n")
    crossed, rested = lab.score(small, file), lab.score(small, resting)
    assert rested.windows["s"].equals(crossed.windows["s"])
    whole = rested.payoffs["status"] == "ok"
    assert not rested.payoffs.loc[whole, "payoff_p"].equals(crossed.payoffs.loc[whole, "payoff_p"])
    assert rested.payoffs["fwd_ret_bps_30"].equals(crossed.payoffs["fwd_ret_bps_30"])


def test_an_experimental_detector_is_scored_by_name(small: lab.RecordedTape) -> None:
    name = next(d.detector_id for d in known_detectors() if d.status == "experimental")
    assert set(lab.score(small, name).windows["detector_id"]) == {name}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("detector_id: [", "own.yaml"),
        (TEXT.replace("aggr_imb", "agr_imb"), "try: aggr_imb"),
        (TEXT.replace("own_idea", "micro_drift"), "a name of its own"),
        (TEXT.replace("horizon: 30s", "horizon: 31s"), "31"),
        ("", "own.yaml"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(small: lab.RecordedTape, file: Path, text: str, words: str) -> None:
    file.write_text(text)
    with pytest.raises(Exception, match=words) as raised:
        lab.score(small, file)
    assert type(raised.value).__module__ == "lotus.errors"


def test_no_file_and_no_day_are_told(small: lab.RecordedTape, file: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        lab.score(small, file.with_name("none.yaml"))
    with pytest.raises(ConfigError, match="no day to score"):
        lab.score(small, file, [])
    with pytest.raises(TapeError, match="no day '2020-01-01'"):
        lab.score(small, file, "2020-01-01")
    with pytest.raises(ConfigError, match=r"what lab\.tape returns"):
        lab.score("example", file)  # type: ignore[arg-type]


def test_a_day_that_memory_does_not_hold_is_refused_before_it_is_read(
    small: lab.RecordedTape, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 0 < day.memory_left() < 2**62
    monkeypatch.setattr(day, "memory_left", lambda: 1000)
    monkeypatch.setattr(type(small.store), "decode_day", lambda *_, **__: pytest.fail("read"))
    with pytest.raises(TapeError, match="are left"):
        lab.score(small, file)
