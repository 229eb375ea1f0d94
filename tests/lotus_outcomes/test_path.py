"""Paths of mids: walked once a window, each quote read a few times."""

import dataclasses

import numpy as np
import pytest

from lotus.manifest import Manifest, OutcomeDefaults
from lotus.outcomes import path
from lotus.outcomes.evaluate import evaluate

from .probes_by_hand import events_of, quotes_of

MANIFEST = dataclasses.replace(Manifest(), outcomes=OutcomeDefaults(horizons_s=(30, 300)))


def gaps_of(*rows):
    asset, start, end = (np.array([r[i] for r in rows], dtype=np.int64) for i in range(3))
    return {"asset": asset, "start_ms": start, "end_ms": end}


NO_GAPS = gaps_of()


def join(*tables):
    return {k: np.concatenate([t[k] for t in tables]) for k in tables[0]}


def test_the_path_is_walked_once_a_window_however_many_detectors_score_it(monkeypatch):
    """A day of the demo: what is looked up in the quotes grows with windows and horizons, not with events."""
    looked_up, walked = [], []

    def first_quote(recv_ns, target_ns, limit_ns):
        looked_up.append(len(target_ns))
        return path.first_quote(recv_ns, target_ns, limit_ns)

    def extremes(values, first, last):
        walked.append(len(first))
        return path.extremes(values, first, last)

    monkeypatch.setattr("lotus.outcomes.evaluate.first_quote", first_quote)
    monkeypatch.setattr("lotus.outcomes.evaluate.extremes", extremes)
    rng = np.random.default_rng(0)
    stamps = [np.sort(rng.uniform(0, 10_800, 110_000)) for _ in range(3)]
    mids = 10**6 + np.cumsum(rng.integers(-9, 10, 110_000))
    quotes = join(*(quotes_of(x, mids, asset=a) for a, x in enumerate(stamps)))
    ends = np.arange(5, 10_800, 5.0)
    s = rng.choice([-1, 0, 1], len(ends))
    names = [(a, f"d{k}") for a in ("BTC", "ETH", "SOL") for k in range(6)]
    events = join(*(events_of(ends, asset=a, detector=d, s=s) for a, d in names))
    out = evaluate(events, quotes, NO_GAPS, MANIFEST)
    assert len(out["event_id"]) == 18 * len(ends)
    horizons = len(MANIFEST.outcomes.horizons_s)
    assert looked_up == [len(ends)] * (1 + horizons) * 3
    assert len(walked) == 3 * horizons
    assert 0 < sum(walked) <= 3 * horizons * len(ends)


class Counted:
    """Values that count how often one of them is read."""

    def __init__(self, values):
        self.values, self.reads = values, 0

    def __len__(self):
        return len(self.values)

    def __getitem__(self, at):
        self.reads += 1
        return self.values[at]


@pytest.mark.parametrize("width", [1, 50, 1000])
@pytest.mark.parametrize("shape", [np.arange, lambda n: -np.arange(n), lambda n: np.arange(n) * 7919 % 1009])
def test_extremes_read_each_quote_a_few_times_however_wide_the_windows_are(shape, width):
    values = shape(4_000).astype(np.int64)
    first = np.arange(len(values) - width)
    counted = Counted(values)
    high, low = path.extremes.py_func(counted, first, first + width)
    windows = np.lib.stride_tricks.sliding_window_view(values, width + 1)[: len(first)]
    np.testing.assert_array_equal(high, windows.max(axis=1))
    np.testing.assert_array_equal(low, windows.min(axis=1))
    assert counted.reads <= 8 * len(values) + 2 * len(first), "each enters and leaves both queues once"
