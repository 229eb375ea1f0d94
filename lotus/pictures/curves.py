"""Calibration of the logged propensity, reliability of forecasts, the life of a lesson by day, money over time.

In the literature: reliability diagram; cumulative evidence (sequential) plot; equity curve with drawdown.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lotus.learning.monitor import REVERT_AT
from lotus.learning.views import Calibration, LifeLine
from lotus.pictures.canvas import BAD, LINE, MUTED, blank, entitle, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
TICKS = 6


def calibration_curve(curve: Calibration) -> "Figure":
    """Return share published against logged propensity; points on the diagonal mean that the log is the policy."""
    figure, axes = blank(4.7, 3.6)
    top = float(max(curve.p.max(initial=0.1), curve.high.max(initial=0.1))) * 1.05
    axes.plot([0.0, top], [0.0, top], color=MUTED, linewidth=0.8)
    spread = np.array([curve.share - curve.low, curve.high - curve.share])
    axes.errorbar(
        curve.p, curve.share, yerr=np.maximum(spread, 0.0), fmt="o", color=LINE, markersize=4.0, linewidth=1.2
    )
    axes.set_xlabel("logged propensity, mean of a tenth of the windows")
    axes.set_ylabel("share published, 95 %")
    entitle(axes, f"{curve.detector_id}: does the log say what drew?")
    return figure


def reliability_curve(title: str, points: Sequence[tuple[float, float, float, float]]) -> "Figure":
    """Return share of hits against promised probability from (promised, found, low, high) of each group of promises."""
    figure, axes = blank(4.7, 3.6)
    promised, realised, low, high = (np.array(column) for column in zip(*points, strict=True))
    span = [float(min(promised.min(), low.min())), float(max(promised.max(), high.max()))]
    axes.plot(span, span, color=MUTED, linewidth=0.8)
    spread = np.maximum(np.array([realised - low, high - realised]), 0.0)
    axes.errorbar(promised, realised, yerr=spread, fmt="o", color=LINE, markersize=4.0, linewidth=1.2)
    axes.set_xlabel("promised probability of a hit")
    axes.set_ylabel("share of hits, 95 %")
    entitle(axes, f"{title}: does what is promised come?")
    return figure


def money(sources: Sequence[tuple[str, NDArray[np.int64], Floats, Floats, Floats]]) -> "Figure":
    """Return cumulative gross and net, USD, and below them how far net lies under its highest value.

    One panel for each source: name, times in ms UTC [n], cumulative gross and net, and drawdown (at most 0), USD [n].
    """
    figure, panes = panels(7.2, 0.6 + 2.2 * len(sources), len(sources))
    for axes, (name, time_ms, gross, net, drawdown) in zip(panes, sources, strict=True):
        times = time_ms.astype("datetime64[ms]")
        axes.axhline(0.0, color=MUTED, linewidth=0.8)
        axes.step(times, gross, where="post", color=LINE, label="gross")
        axes.step(times, net, where="post", color="black", label="net")
        axes.fill_between(
            times, drawdown, 0.0, step="post", color=BAD, alpha=0.25, linewidth=0.0, label="drawdown of net"
        )
        axes.set_ylabel("USD")
        axes.tick_params(axis="x", rotation=30)
        entitle(axes, f"{name}: {len(net):,} trades, gross {gross[-1]:+,.2f}, net {net[-1]:+,.2f} USD")
    figure.legend(*panes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def life(line: LifeLine, critical: float) -> "Figure":
    """Return uplift with its interval, evidence against the bar, and the e-process since it was found, by day."""
    figure, (upper, lower, *more) = panels(4.7, 3.6 + 1.4 * bool(line.watched), 2 + bool(line.watched))
    x = np.arange(len(line.days))
    upper.fill_between(x, line.low, line.high, color=LINE, alpha=0.2, linewidth=0.0)
    upper.plot(x, line.uplift, color=LINE)
    upper.axhline(0.0, color=MUTED, linewidth=0.8)
    seen = np.flatnonzero(np.isfinite(line.low))
    late = seen[len(seen) // 5 :]
    if len(late):
        low, high = float(np.min(line.low[late])), float(np.max(line.high[late]))
        pad = 0.1 * (high - low) + 1e-9
        upper.set_ylim(min(low, 0.0) - pad, max(high, 0.0) + pad)
    upper.set_ylabel("uplift so far, bps")
    entitle(upper, line.title)
    lower.plot(x, line.evidence, color=LINE)
    if np.isfinite(critical):
        lower.axhline(critical, color=BAD, linewidth=0.8, linestyle="--")
    lower.set_ylabel("evidence, nats")
    for axes in more:
        days = [line.days.index(day) for day, _ in line.watched if day in line.days]
        axes.plot(days, [e for day, e in line.watched if day in line.days], color=LINE)
        axes.axhline(REVERT_AT, color=BAD, linewidth=0.8, linestyle="--")
        axes.set_yscale("log")
        axes.set_ylabel("E (dead at 20)")
    ticks = x[:: max(1, math.ceil(len(x) / TICKS))]
    [lower, *more][-1].set_xticks(ticks, [line.days[i] for i in ticks], rotation=30, ha="right")
    return figure
