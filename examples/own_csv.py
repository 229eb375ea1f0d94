# %% [markdown]
# # Your own CSV
#
# A file of a desk, with the desk's names: when a signal came, what it was about, whether it was sent, with which
# chance, and what it paid. All a lesson needs beside the usual log is the chance.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import lotus_lab as lab
from lotus.errors import SchemaError

folder = Path(tempfile.mkdtemp())
desk = lab.example(seed=3, days=25).rename(
    columns={
        "ts": "time",
        "asset": "symbol",
        "detector_id": "signal",
        "horizon_s": "held_s",
        "published": "sent",
        "propensity": "chance",
        "payoff_bps": "pnl_bps",
        "x_flow": "order_flow",
    }
)
desk["grade_of_day"] = pd.cut(desk["x_vol"], 4, labels=["quiet", "normal", "busy", "wild"])
desk.to_csv(folder / "desk.csv", index=False)
print((folder / "desk.csv").read_text()[:420])

# %% [markdown]
# ## What is wrong is said, with the row

# %%
try:
    lab.learn(folder / "desk.csv")
except SchemaError as error:
    print(error)

# %% [markdown]
# ## Names and features are told once
#
# `columns` holds the desk's names by those of the format (`lotus learn --explain-columns`). A feature is a number
# (rules speak of its high or low end), a category, or an ordered label.

# %%
config = {
    "columns": {
        "ts": "time",
        "asset": "symbol",
        "detector_id": "signal",
        "horizon_s": "held_s",
        "published": "sent",
        "propensity": "chance",
        "payoff_bps": "pnl_bps",
        "x_flow": "order_flow",
        "x_busy": "grade_of_day",
    },
    "features": {
        "x_flow": "monotone",
        "x_regime": "category",
        "x_busy": {"literals": "interval", "categories": ["quiet", "normal", "busy", "wild"]},
    },
}
report = lab.learn(folder / "desk.csv", config)
report

# %% [markdown]
# The audit compares the logged chances with what was sent. A log whose chances are not those that drew teaches
# nothing.

# %%
report.audits

# %%
lied = desk.assign(chance=(desk["chance"] * 0.6).clip(0.02, 0.98))
print(lab.learn(lied, config).audits[["detector_id", "alarm"]])

# %% [markdown]
# ## What to do with it
#
# `report.to_html` writes one file without a network, `report.export` a module for a bot, and `mde` says what a
# longer log could show.

# %%
print(report.to_html(folder / "report.html").stat().st_size // 1024, "kB")
report.mde(days=60).query("conditions == 1")
