"""Candles with a planted truth for the bots of other people, and where their environments stand (`make bots`)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

START = pd.Timestamp("2025-01-06", tz="UTC")
CANDLE = pd.Timedelta(minutes=5)
HELD = 12  # candles for which a breakout with volume goes on
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv-bots"
BOTS = ("freqtrade", "nautilus")


def lock_of(bot: str) -> Path:
    """Return the lock of a bot's environment."""
    return ROOT / "tests" / "bots" / f"{bot}.lock"


def stands(bot: str) -> bool:
    """Return whether the environment of a bot is there, made of its lock as it is now."""
    kept = ENVIRONMENTS / bot / "lock"
    return kept.exists() and kept.read_bytes() == lock_of(bot).read_bytes()


def python_of(bot: str) -> Path:
    """Return the interpreter of a bot's environment; skips the test where it does not stand."""
    if not stands(bot):
        pytest.skip(f"no environment of {bot} of its lock in {ENVIRONMENTS} (make bots)")
    return ENVIRONMENTS / bot / "bin" / "python"


def candles(seed: int, days: int, effect_bps: float = 100.0, noise_bps: float = 8.0) -> pd.DataFrame:
    """Return candles of five minutes: date, open, high, low, close, volume.

    A close beyond the six before it with much volume goes on in its direction for an hour, by `effect_bps` in all; one
    with little volume comes back as far.
    """
    rng, n = np.random.default_rng(seed), days * 288
    noise, loud = rng.normal(0.0, noise_bps / 1e4, n), rng.normal(0.0, 1.0, n)
    log = np.zeros(n)
    push, until = 0.0, -1
    for k in range(1, n):
        log[k] = log[k - 1] + noise[k] + (push if k <= until else 0.0)
        if k > 6 and k > until:
            past = log[k - 6 : k]
            side = float(log[k] > past.max()) - float(log[k] < past.min())
            if side:
                push, until = side * np.sign(loud[k] - 0.25) * effect_bps / 1e4 / HELD, k + HELD
    close = 100.0 * np.exp(log)
    opened = np.concatenate([close[:1], close[:-1]])
    wick = np.exp(np.abs(rng.normal(0.0, 0.0002, (2, n))))
    return pd.DataFrame({
        "date": START + CANDLE * np.arange(n), "open": opened, "high": np.maximum(opened, close) * wick[0],
        "low": np.minimum(opened, close) / wick[1], "close": close, "volume": 1000.0 * np.exp(0.5 * loud),
    })  # fmt: skip
