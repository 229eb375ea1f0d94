"""Events of a small world with one planted lesson, as a frame, and what is learned of them."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lotus_lab as lab

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lotus_own_signals"))
sys.path.insert(0, str(Path(__file__).parent))
from own_world import own_world

World = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="session")
def world() -> World:
    """Return a world in which `x_flow >= 3 and x_regime = calm` of d0 pays more."""
    made: World = own_world(seed=1, effect=6.0, detectors=2)
    return made


@pytest.fixture(scope="session")
def events(world: World) -> pd.DataFrame:
    """Return it as a frame of pandas."""
    return pd.DataFrame({**world, "ts": pd.to_datetime(world["ts"], unit="us", utc=True)})


@pytest.fixture(scope="session")
def report(events: pd.DataFrame) -> lab.Report:
    """Return what the world teaches."""
    return lab.learn(events)
