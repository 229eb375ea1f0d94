"""What bots wrote and lessons made of anything, for the tests that run real bots."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from click.testing import CliRunner

import lotus_lab as lab
from lotus_cli.main import main
from lotus_lab.randomiser.journal import DRAW, records


def lotus(*words: object) -> str:
    """Run a command of Lotus, and return what it printed."""
    done = CliRunner().invoke(main, [str(x) for x in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def draws(journal: Path) -> pd.DataFrame:
    """Return the draws of a randomiser: ts, asset, whether it acted, propensity, and features."""
    rows = [x for x in records(journal) if x[0] == DRAW]
    return pd.DataFrame([
        {"row": x[1], "ts": pd.Timestamp(x[2], unit="ms", tz="UTC"), "asset": x[3], "detector_id": x[4], "act": x[6],
         "p": x[7], **x[10]} for x in rows
    ])  # fmt: skip


def without_lessons(asked: pd.DataFrame, log: Path) -> "np.ndarray[Any, Any]":
    """Return which draws would have acted at a chance of one half without any lesson, by the same key."""
    with lab.Randomiser(log) as plain:
        acts = [
            plain.draw("breakout", x.asset, ts=x.ts, horizon_s=3900, chance=0.5, x_a=0.0).act
            for x in asked.itertuples()
        ]
        for draw in plain.open:
            plain.unfilled(draw)
    return np.array(acts)


def loaded(path: Path) -> Any:
    """Return the module that a file holds, as a bot imports it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lessons_of_last_year(path: Path, target: Any, asset: str) -> None:
    """Export lessons of a detector `breakout` whose time is over."""
    lab.learn(events_of_last_year(asset)).export(path, target)


def events_of_last_year(asset: str) -> pd.DataFrame:
    """Return events of a detector that pays where there is volume."""
    rng, n = np.random.default_rng(4), 3000
    loud, published = rng.normal(size=n), rng.random(n) < 0.5
    payoff = 20.0 * (loud > 0.2) + 10.0 * rng.normal(size=n)
    return pd.DataFrame({
        "ts": pd.Timestamp("2024-01-08", tz="UTC") + pd.Timedelta(minutes=10) * np.arange(n), "asset": asset,
        "detector_id": "breakout", "horizon_s": 300, "published": published, "propensity": 0.5,
        "payoff_bps": np.where(published, payoff, np.nan), "x_volume": loud, "x_move": rng.normal(size=n),
        "x_side": np.where(rng.random(n) < 0.5, "long", "short"),
    })  # fmt: skip
