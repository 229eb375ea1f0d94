# %% [markdown]
# # Reading a lesson
#
# What each number of a lesson says, on a log in which one is known to be true.

# %%
import lotus_lab as lab

events = lab.example(seed=7, days=30)
report = lab.learn(events)
report

# %%
lesson = report.lessons.iloc[0]
lesson.drop("lesson_id")

# %% [markdown]
# - **rule**: where it holds. `x_flow >= 3` are the two upper of five bins, whose edges follow each coin.
# - **uplift_bps**: how much more a window pays inside the rule than such a window pays at all, from windows that
#   were drawn at random: not because the desk chose well. **ci95** is its interval.
# - **bound_bps**: what is left when every rule that was searched beside it is paid for. This is what acts.
# - **evidence_nats** against **critical_nats**: the weight of evidence, and the bar that the search set. The bar
#   rises with every rule that could have been found.
# - **grade**: how the payoffs came about. A: real fills; B: on paper; D: not randomised, never accepted.
# - **n_eff**, **ess**, **blocks**: independent blocks of six hours count, not windows.

# %%
lesson[["uplift_bps", "bound_bps", "evidence_nats", "critical_nats", "grade", "n_eff", "blocks"]]

# %% [markdown]
# ## Beside all others

# %%
report.forest()

# %% [markdown]
# ## Where it comes from

# %%
report.heat_map("x_flow", "x_vol")

# %% [markdown]
# ## Its life, day by day
#
# The sum of evidence and the bar of each day. A lesson of one lucky day is a step; one that is true is a slope.

# %%
report.life_line(0)

# %% [markdown]
# ## What it makes a bot do
#
# `tilt` is added to the logit of the chance to act; zero where the rule does not hold.

# %%
advice = report.advice(events.tail(2000))
advice.groupby(advice["tilt"] != 0)[["tilt", "claim_bps"]].agg(["size", "mean"])

# %% [markdown]
# ## What this sample could not have shown

# %%
report.mde().query("detector_id == 'breakout'")
