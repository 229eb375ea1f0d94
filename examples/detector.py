# %% [markdown]
# # A detector, from an idea to its card
#
# The idea: takers who buy for seconds without a pause pull the price with them. First a tape to look at: half an
# hour of a simulated market on each of two days. Yours is `lab.tape("live", home=...)`.

# %%
import tempfile
from pathlib import Path

import lotus_lab as lab
from lotus.errors import ConfigError

folder = Path(tempfile.mkdtemp())
tape = lab.example_tape(folder / "home", days=2)
frames = tape.frames("BTC", tape.days[0])
frames[["end_ms", "mid", "spread_bps", "imb_5", "aggr_imb", "trade_n"]].describe().loc[["count", "mean", "std"]]

# %% [markdown]
# ## The idea as a file
#
# Expressions over frames of 200 ms and windows of 5 s, parameters with units, one horizon.

# %%
TEXT = """
detector_id: steady_takers
family: steady_takers
version: 1
status: experimental
idea: Takers who buy for seconds without a pause pull the price with them.
horizon: 30s
band: 20s..160s
best_phase_deg: 270
params:
  span: 5s
  least: 0.1
  loud: 0sigma
frames:
  pressure: ema(aggr_imb, span)
windows:
  burst: zscore(traded_usd, 10m)
signal: where(abs(pressure) >= least and burst >= loud, pressure, 0)
"""
file = folder / "steady_takers.yaml"
_ = file.write_text(TEXT)

# %% [markdown]
# A mistake is shown where it stands:

# %%
wrong = folder / "wrong.yaml"
_ = wrong.write_text(TEXT.replace("ema(aggr_imb, span)", "ema(agr_imb, span)").replace("steady_takers", "wrong"))
try:
    lab.score(tape, wrong)
except ConfigError as error:
    print(error)

# %% [markdown]
# ## Scored with the kernels that serve live
#
# `windows` holds every window with its signal, context, score, propensity and draw; `payoffs` what a probe of each
# would have paid, net of fees and spread.

# %%
scored = lab.score(tape, file, tape.days)
print(scored.verdict())
scored.windows.loc[scored.windows["s"] != 0, ["asset", "window_end_ms", "s", "spread_bps", "pi", "published"]].head()

# %% [markdown]
# ## Its card so far
#
# What it takes, and how the mid moved after it spoke. "earns its cost" needs a move above spread and two fees; most
# ideas end here, and the table says so.

# %%
cost = scored.cost
print(f"{cost.ns[0]:.0f} ns a frame, {cost.ns[1]:.0f} ns a window, {cost.state_bytes / 1024:.1f} KiB a coin")
shown = ["day", "horizon_s", "spoken", "mean_bps", "mean_low_bps", "mean_high_bps", "cost_bps", "verdict"]
scored.sanity.loc[scored.sanity["asset"] == "all", shown]

# %% [markdown]
# A shipped one beside it, on the same days:

# %%
print(lab.score(tape, "sweep_stall_reversal", tape.days).verdict())

# %% [markdown]
# Two sessions show nothing of a thirty-second idea: a lesson needs ten days and more. `lotus detector use FILE`
# lets a running daemon score it beside the settled ones, and `lotus card NAME` is the card that the nights fill.
