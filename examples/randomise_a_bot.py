# %% [markdown]
# # Make a bot learnable
#
# A bot trades breakouts in a plain loop. Two lines make what it does learnable: it draws whether to act, and it
# logs what came of it. The market is made up: a breakout pays 5 bps more while the book is thin, which the bot does
# not know.

# %%
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

import lotus_lab as lab

log = Path(tempfile.mkdtemp()) / "signals.parquet"
rng = np.random.default_rng(5)
begin, horizon_s = datetime(2025, 3, 3, tzinfo=UTC), 300


def signals(days: range):
    """Yield what a bot sees: time, coin, depth of the book, volatility, and the move to come, which it does not see."""
    for day in days:
        for step in range(144):
            for coin in ("BTC", "ETH"):
                depth, volatility = rng.normal(), rng.normal()
                move = rng.standard_t(4) * 6 + (5.0 if depth < -0.5 else 0.0)
                yield begin + timedelta(days=day, minutes=10 * step), coin, depth, volatility, move


# %% [markdown]
# ## The loop
#
# `chance` is how gladly the bot would act. The draw is kept between `floor` and 1 - `floor`, within the budget of
# alerts of a day, and is with the operating system before the call returns: a kill loses no row.

# %%
with lab.Randomiser(log, floor=0.1, budget=200) as bot:
    for time, coin, depth, volatility, move in signals(range(25)):
        draw = bot.draw(
            "breakout", coin, ts=time, horizon_s=horizon_s, chance=0.5, x_depth=depth, x_volatility=volatility
        )
        if draw.act:
            bot.fill(draw, "buy", 100.0, 1.0, fee_bps=1.0)
            bot.fill(draw, "sell", 100.0 * (1 + move / 1e4), 1.0, fee_bps=1.0)

events = lab.read_log(log)
print(f"{events.num_rows:,} signals, {sum(events['published'].to_pylist()):,} acted on")

# %% [markdown]
# ## What the log teaches

# %%
report = lab.learn(events)
report

# %% [markdown]
# ## Taken back into the loop
#
# The lesson's tilt moves the chance, never beyond the floor: so the next weeks go on being evidence.

# %%
module = report.export(log.parent / "lessons.py", "python")
print(module.read_text()[:600])

# %%
lesson = report.lessons.iloc[0]
print(
    f"{lesson['rule']}: {lesson['uplift_bps']:+.1f} bps [{lesson['ci95_low_bps']:+.1f}, {lesson['ci95_high_bps']:+.1f}]"
)
