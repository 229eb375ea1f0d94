"""The format of an events file, column by column: the one place from which messages, help and documentation come.

No reading and no checking belong here. The field's word: data contract.
"""

from dataclasses import dataclass
from typing import Literal as OneOf

Kind = OneOf["time", "name", "whole", "flag", "number", "feature"]

FEATURE_PREFIX = "x_"
DESCRIPTIVE = ("mfe_bps", "mae_bps", "p_hit")  # reported by horizon beside a lesson, never searched


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One column: what it holds, its unit, when it may be empty, and an example."""

    name: str
    kind: Kind
    required: bool
    unit: str
    null: str
    meaning: str
    example: str


COLUMNS: tuple[FileColumn, ...] = (
    FileColumn(
        "ts", "time", True, "UTC time", "never",
        "end of the window: everything in the row but the payoffs is known then. ISO 8601 with Z or an offset, a "
        "timestamp with a time zone, or whole milliseconds since 1970; a time without a zone is refused",
        "2025-01-06T09:30:05Z",
    ),
    FileColumn("asset", "name", True, "", "never", "what the signal is about; bins are made per asset", "BTC"),
    FileColumn("detector_id", "name", True, "", "never", "which signal or strategy spoke", "breakout"),
    FileColumn(
        "horizon_s", "whole", True, "s", "never",
        "seconds from ts to the time the payoff is known. Several horizons of one draw are several rows with the same "
        "ts, asset, detector, published and propensity; the configuration then names the one that decides. At most "
        "21600 (six hours) for the one that decides: longer payoffs overlap and no interval would hold",
        "300",
    ),
    FileColumn(
        "published", "flag", True, "", "never",
        "whether the signal was acted on in this window (true/false or 1/0). Rows that were not are needed as well",
        "true",
    ),
    FileColumn(
        "propensity", "number", False, "probability", "for all rows of a detector or for none",
        "the probability, logged at the draw, with which this window was published; 0 where it could not be. Without "
        "it a detector's findings are associations: shown, grade D, never accepted",
        "0.13",
    ),
    FileColumn(
        "payoff_bps", "number", False, "bps", "where not published",
        "executed payoff of one unit opened after ts and closed horizon_s later, in the signal's direction, net of "
        "cost (or with cost_bps to be subtracted). An unfilled order is 0, not empty. Needed in every published row of "
        "a detector, or in none: then only the paper payoff speaks and grade C is the most",
        "-2.75",
    ),
    FileColumn(
        "paper_payoff_bps", "number", False, "bps", "anywhere; used on days without any null",
        "modelled payoff of the same unit, for published and unpublished rows alike. It sharpens the intervals and is "
        "never believed in place of the executed one",
        "-1.90",
    ),
    FileColumn(
        "mfe_bps", "number", False, "bps", "anywhere; such rows do not count in its mean",
        "maximum favourable excursion: the highest payoff the published unit showed before horizon_s was over, in the "
        "same terms as payoff_bps. Described beside a lesson by horizon, never searched",
        "6.10",
    ),
    FileColumn(
        "mae_bps", "number", False, "bps", "anywhere; such rows do not count in its mean",
        "maximum adverse excursion: the lowest payoff it showed, in the same terms; at most mfe_bps",
        "-4.00",
    ),
    FileColumn(
        "p_hit", "number", False, "probability", "anywhere; such rows do not count in its scores",
        "the probability, told with the signal, that its payoff at horizon_s is above zero after cost. Brier and log "
        "score judge it by horizon. It is not the propensity, which says how likely the signal was to be acted on",
        "0.55",
    ),
    FileColumn(
        "x_*", "feature", True, "yours", "anywhere; a null makes no literal true",
        "one column or more of context known at ts. Numbers are binned per asset with edges from the seven days before "
        "(ties to the lower bin; the first day of an asset has no bins); text and flags are categories, at most five. "
        "More are taken together, by `groups` of the configuration or as the first day has them. Categories in order "
        "(quintile labels, ratings; an ordered categorical, or `categories` in the configuration) are bins already",
        "0.42",
    ),
)  # fmt: skip

KNOWN = tuple(c.name for c in COLUMNS if not c.name.endswith("*"))

CONFIG_EXAMPLE = """\
# Everything here has a default; a file without several horizons needs no configuration at all.
columns:                    # name of the format: name in the files; default: the names of the format
  ts: time
  payoff_bps: pnl_bps
  x_momentum: mom_5m        # any column may be a feature
decision_horizon_s: 300     # the horizon that is searched; needed when a detector has several
cost_bps: 4.5               # subtracted from payoff_bps and paper_payoff_bps; 0 when they are net (default)
fill_source: executed       # executed (on paper or a simulator: grade B) or venue (real fills: grade A)
last_days: 365              # learn from the last days of the file
half_life_days: 0           # weight of a day halves in so many days; 0: all days alike (with --nightly: 20)
max_literals: 3             # longest rule, 1 to 3
seed: 7                     # of the sign-flip draws
features:                   # default: every x_* column, numbers monotone in 5 bins, text as categories
  x_imbalance: monotone     # rules speak of the high or of the low end
  x_momentum: up            # only of the high end (down: only of the low end)
  x_funding: {literals: interval, bins: 5}   # rules may speak of any range of bins
  x_regime: {literals: category, categories: [calm, wild]}
  x_rating: {literals: interval, categories: [low, mid, high]}   # in order: rules may speak of any range of them
  x_hour: category
groups:                     # values of a feature taken together; every value not named is `other`
  x_hour: {night: [0, 1, 2, 3, 4, 5], morning: [6, 7, 8, 9, 10, 11], noon: [12, 13, 14]}
"""

FIRST_ROWS = """\
ts,asset,detector_id,horizon_s,published,propensity,payoff_bps,paper_payoff_bps,x_imbalance,x_regime
2025-01-06T09:30:05Z,BTC,breakout,300,true,0.31,-2.75,-1.90,0.42,calm
2025-01-06T09:30:05Z,ETH,breakout,300,false,0.31,,3.10,-0.15,calm
2025-01-06T09:30:10Z,BTC,breakout,300,false,0.02,,0.40,0.05,wild
"""


def column(name: str) -> FileColumn:
    """Return the column of a name; any `x_` name is a feature."""
    wanted = "x_*" if name.startswith(FEATURE_PREFIX) else name
    return next(c for c in COLUMNS if c.name == wanted)
