"""Ten ideas and any number of detectors around them that differ in one threshold, as breeding makes them."""

from lotus.detectors.spec import DetectorSpec, parse_spec

IDEAS = (
    ("mean(imb_5, 6s)", "ema(held, 1m) - ema(held, 5m)"),
    ("mean(aggr_imb, 10s)", "held - mean(held, 2m)"),
    ("ema(micro_drift_bps, 3s) / 1bps", "zscore(held, 10m) / 3sigma"),
    ("rank(spread_bps, 1m) - 0.5", "held * sign(delta(mid, 30s))"),
    ("slope(mid, 20s) / (1ticks / 1min)", "held / (1 + std(held, 5m))"),
    ("rsi(mid, 20s) / 50 - 1", "held - lag(held, 30s)"),
    ("sum(sweep, 15s)", "ema(held, 30s) * mean(imbalance, 1m)"),
    ("imb_10 - imb_1", "rank(held, 5m) - 0.5"),
    ("zscore(volume_usd, 1m) / 3sigma", "held * flow"),
    ("crossed(ema(mid, 5s), ema(mid, 30s))", "held + ema(trend, 1m) / 3sigma"),
)
TEXT = """
detector_id: related_{k}
family: related
version: 1
idea: One idea of {ideas}.
horizon: 30s
band: 20s..160s
best_phase_deg: 0
params:
  least: {least}
frames:
  held: {frame}
windows:
  moved: {window}
  slow: ema(abs(moved), 20m)
  usual: lag(max(slow, mean(abs(moved), 10m)), 5s)
  pace: moved / usual
  side: sign(pace) * min(1, abs(pace) / 4)
signal: where(abs(pace) >= least, side, 0)
"""


def related(many: int) -> tuple[DetectorSpec, ...]:
    """Return so many detectors; the first ten are one of each idea."""
    found = []
    for k in range(many):
        frame, window = IDEAS[k % len(IDEAS)]
        text = TEXT.format(k=k, ideas=len(IDEAS), least=1 + 0.01 * k, frame=frame, window=window)
        found.append(parse_spec(text, f"related_{k}"))
    return tuple(found)
