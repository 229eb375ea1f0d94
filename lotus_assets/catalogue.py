"""The catalogue of assets: name, group, kinds, dependencies, pure packages and one line of text each.

Definitions, stages, documentation and the golden asset graph all read this table. Names are those of the tables and
files. Nothing is computed here.
"""

from dataclasses import dataclass

TAPE, SCORE, LEARN, BELIEF, DECIDE = "tape", "scoring", "learning", "beliefs", "decision"
OWNERS = ["team:lotus"]
EXTERNAL_BELIEF = "priors_in_force"
ADVISORY_CHECKS = frozenset(
    {
        "live_parity",
        "leakage",
        "fragility",
        "promises_kept",
        "significant",
        "support",
        "lawful",
        "drift",
        "metric_regression",
    }
)  # a failure is told and stops nothing


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """One daily asset; `deps` are (asset, edge) with edge a key of `partitions.EDGES`."""

    name: str
    group: str
    deps: tuple[tuple[str, str], ...]
    packages: tuple[str, ...]
    text: str
    kinds: tuple[str, ...] = ("parquet",)
    checks: tuple[str, ...] = ("schema",)


_TO_MICROTAPE = ("microtape",)
_TO_EXPERTS = (*_TO_MICROTAPE, "experts")
_TO_DETECTORS = (*_TO_EXPERTS, "priors", "detectors")
_TO_SCORES = (*_TO_DETECTORS, "curation/act.py", "curation/at_once.py", "curation/in_force.py")  # what acts do
_TO_OUTCOMES = (*_TO_DETECTORS, "outcomes")
_TO_MONITORING = (*_TO_DETECTORS, "monitoring")
_TO_LEARNING = (*_TO_OUTCOMES, "learning")
_TO_DECISION = (*_TO_OUTCOMES, "modules", "decision")
_TO_WEAVE = (*_TO_LEARNING, "weave", "modules")
_TO_POLICY = (*_TO_WEAVE, "knobs", "decision")
_TO_TRADING = (*_TO_WEAVE, "knobs", "trading")
_TO_CURATION = (*_TO_TRADING, "decision", "curation")
_TO_GOVERNANCE = (*_TO_CURATION, "monitoring", "governance")

TAPE_ASSETS = (
    AssetEntry(
        name="raw_tape",
        group=TAPE,
        kinds=("zstd",),
        deps=(),
        packages=_TO_MICROTAPE,
        text="Arrival-ordered frames of the venue as recorded, imported or simulated, with gaps and completeness.",
        checks=("segments_intact", "gaps_accounted"),
    ),
    AssetEntry(
        name="microtape_prints",
        group=TAPE,
        deps=(("raw_tape", "same_day"),),
        packages=_TO_MICROTAPE,
        text="Every print of the tape, each once: what an order at rest waits for.",
    ),
    AssetEntry(
        name="microtape_frames",
        group=TAPE,
        kinds=("parquet", "numba"),
        deps=(("raw_tape", "same_day"),),
        packages=_TO_MICROTAPE,
        text="One row of features per asset and 200 ms, and the quotes that probes take.",
        checks=("schema", "gaps_accounted", "no_look_ahead"),
    ),
    AssetEntry(
        name="dsi_annotations",
        group=TAPE,
        kinds=("parquet", "numba"),
        deps=(("microtape_frames", "same_day"),),
        packages=_TO_EXPERTS,
        text="What the experts see in every frame: z, flag, confidence and the fused evidence.",
        checks=("schema", "no_look_ahead"),
    ),
    AssetEntry(
        name="sanity_table",
        group=TAPE,
        deps=(("microtape_frames", "same_day"), ("dsi_annotations", "same_day")),
        packages=_TO_OUTCOMES,
        text="Every frame column, expert and detector against the mid moves after it, losers included.",
    ),
)

LEARNING_ASSETS = (
    AssetEntry(
        name="expert_set",
        group=SCORE,
        kinds=("parquet", "postgres", "numba"),
        deps=(("microtape_frames", "same_day"), ("dsi_annotations", "same_day"), (EXTERNAL_BELIEF, "day_and_before")),
        packages=_TO_EXPERTS,
        text="The experts in force: weights, who is off, calibrations, nets; what they say where not as shipped.",
    ),
    AssetEntry(
        name="signal_events",
        group=SCORE,
        kinds=("parquet", "postgres", "numba"),
        deps=(
            ("microtape_frames", "same_day"),
            ("dsi_annotations", "same_day"),
            ("expert_set", "same_day"),
            (EXTERNAL_BELIEF, "day_and_before"),
        ),
        packages=_TO_SCORES,
        text="Every scored window of every detector with propensity, draw, context bins and the priors that scored it.",
        checks=("schema", "overlap", "no_look_ahead", "live_parity"),
    ),
    AssetEntry(
        name="detector_audits",
        group=SCORE,
        kinds=("parquet", "numba"),
        deps=(("signal_events", "same_day"), ("microtape_frames", "same_day")),
        packages=_TO_DETECTORS,
        text="Who knows the future and who breaks: a stretch scored again, cut short, shuffled and disturbed.",
        checks=("schema", "audits_awake", "leakage", "fragility"),
    ),
    AssetEntry(
        name="meta_signals",
        group=SCORE,
        kinds=("parquet", "numba"),
        deps=(("signal_events", "same_day"),),
        packages=_TO_DETECTORS,
        text="Budget cues of every window and asset without direction: timing, synchrony, disagreement, asymmetry.",
    ),
    AssetEntry(
        name="signal_eval",
        group=SCORE,
        deps=(("signal_events", "same_day"), ("microtape_frames", "same_day")),
        packages=_TO_OUTCOMES,
        text="Probe payoffs P and Y, forward returns, hits and excursions of the windows that mature on the day.",
        checks=("schema", "gaps_accounted"),
    ),
    AssetEntry(
        name="day_sketches",
        group=SCORE,
        deps=(
            ("signal_eval", "same_day"),
            ("signal_events", "same_day"),
            ("microtape_frames", "same_day"),
            ("raw_tape", "same_day"),
        ),
        packages=_TO_MONITORING,
        text="49 quantiles, null share or one number of every column, score and measure of diversity by asset.",
    ),
    AssetEntry(
        name="drift_report",
        group=SCORE,
        deps=(("day_sketches", "same_day"),),
        packages=_TO_MONITORING,
        text="What the day differs in from days like it: distances, ranks, e-detectors by family, and who is named.",
        checks=("schema", "drift"),
    ),
    AssetEntry(
        name="style_payoffs",
        group=SCORE,
        kinds=("parquet", "numba"),
        deps=(("signal_eval", "same_day"), ("signal_events", "same_day"), ("microtape_prints", "same_day")),
        packages=_TO_OUTCOMES,
        text="What each published window would have paid crossing, joining and improving the book, by both fills.",
    ),
    AssetEntry(
        name="trigger_outcomes",
        group=SCORE,
        deps=(("signal_events", "same_day"), ("microtape_frames", "same_day")),
        packages=_TO_OUTCOMES,
        text="Published windows whose detector proposes a trigger: what they moved when it fired, and when it expired.",
        checks=("schema",),
    ),
    AssetEntry(
        name="detector_dsi_attrib",
        group=SCORE,
        deps=(("signal_eval", "same_day"), ("signal_events", "same_day"), ("expert_set", "same_day")),
        packages=_TO_OUTCOMES,
        text="Credit of every expert in each detector's published windows: share, agreement, covariance with payoff.",
    ),
    AssetEntry(
        name="expert_training",
        group=SCORE,
        deps=(("dsi_annotations", "same_day"), ("expert_set", "same_day")),
        packages=_TO_EXPERTS,
        text="On Mondays: the convolution trained on the seven days before; taken up where it beats the one in force.",
    ),
    AssetEntry(
        name="expert_stats",
        group=SCORE,
        kinds=("postgres", "numba"),
        deps=(("dsi_annotations", "same_day"), ("expert_set", "same_day"), ("expert_training", "same_day")),
        packages=_TO_EXPERTS,
        text="On Mondays: reliability of every expert, twins, kill rule, refit; what wins comes in force.",
        checks=(),
    ),
    AssetEntry(
        name="payoff_scores",
        group=LEARN,
        deps=(("signal_eval", "same_day"),),
        packages=_TO_LEARNING,
        text="Overlap-weighted scores f and weights h per window, written once.",
        checks=("schema", "chance"),
    ),
    AssetEntry(
        name="module_numbers",
        group=SCORE,
        kinds=("postgres",),
        deps=(("payoff_scores", "same_day"),),
        packages=("atlas",),
        text="Of every module: dominant rhythm of its quality, what acting changed, with whom it is bound.",
        checks=(),
    ),
    AssetEntry(
        name="dm_evidence",
        group=DECIDE,
        deps=(("signal_events", "same_day"), ("signal_eval", "same_day"), ("microtape_frames", "same_day")),
        packages=_TO_DECISION,
        text="What became known of promises and scores on the day; what pairs of sources said; returns of minutes.",
    ),
    AssetEntry(
        name="dm_knowledge",
        group=DECIDE,
        kinds=("postgres",),
        deps=(("dm_evidence", "same_day"),),
        packages=_TO_DECISION,
        text="What the decision-maker knows on later days: calibration, reliability, covariance, who says the same.",
        checks=("promises_kept",),
    ),
    AssetEntry(
        name="dm_trials",
        group=LEARN,
        deps=(("microtape_frames", "same_day"),),
        packages=_TO_POLICY,
        text=(
            "What decisions with a knob of the policy under experiment were worth over their horizon, beside those "
            "at its start."
        ),
    ),
    AssetEntry(
        name="dm_lessons",
        group=LEARN,
        kinds=("postgres",),
        deps=(("dm_trials", "same_day"),),
        packages=_TO_POLICY,
        text=(
            "Where a moved knob of the policy pays, by the detectors' tests under an alpha of its own; average effects."
        ),
        checks=(),
    ),
    AssetEntry(
        name="dm_braids",
        group=BELIEF,
        kinds=("postgres",),
        deps=(("dm_lessons", "same_day"),),
        packages=_TO_POLICY,
        text="Bounded multipliers of the policy's knobs and the decision-maker's own PRIOR_PATCH where they changed.",
        checks=("bounded",),
    ),
    AssetEntry(
        name="detector_cards",
        group=SCORE,
        deps=(("signal_events", "same_day"), ("signal_eval", "same_day"), ("detector_audits", "same_day")),
        packages=_TO_OUTCOMES,
        text="Every detector version: stage of life, quality over days, net payoff with its interval, failure modes.",
    ),
    AssetEntry(
        name="tr_trials",
        group=LEARN,
        deps=(("style_payoffs", "same_day"),),
        packages=_TO_TRADING,
        text=(
            "What plans of the book that tried a knob of execution cost, and probes that tried a style paid, on the "
            "moved side and on the other."
        ),
    ),
    AssetEntry(
        name="tr_lessons",
        group=LEARN,
        kinds=("postgres",),
        deps=(("tr_trials", "same_day"),),
        packages=_TO_TRADING,
        text=(
            "Where a moved knob of execution pays, by the detectors' tests under an alpha of its own; average effects."
        ),
        checks=(),
    ),
    AssetEntry(
        name="tr_braids",
        group=BELIEF,
        kinds=("postgres",),
        deps=(("tr_lessons", "same_day"),),
        packages=_TO_TRADING,
        text="Bounded multipliers of knobs of execution and the trader's own PRIOR_PATCH where they changed.",
        checks=("bounded",),
    ),
    AssetEntry(
        name="lesson_atoms",
        group=LEARN,
        deps=(("payoff_scores", "same_day"),),
        packages=_TO_LEARNING,
        text="Additive sums r, h, n per detector, six-hour block, feature triple and cell.",
    ),
    AssetEntry(
        name="lessons",
        group=LEARN,
        kinds=("postgres",),
        deps=(("lesson_atoms", "same_day"),),
        packages=_TO_WEAVE,
        text="Rules that survived the nightly run's family-wise test, and those refused with the number that failed.",
        checks=("significant", "support", "error_budget", "whole"),
    ),
    AssetEntry(
        name="dr_crosscheck",
        group=LEARN,
        kinds=("postgres",),
        deps=(("lessons", "same_day"),),
        packages=_TO_WEAVE,
        text="On Mondays: every active lesson estimated again by a doubly robust learner, both estimates side by side.",
        checks=(),
    ),
    AssetEntry(
        name="braids",
        group=BELIEF,
        kinds=("postgres",),
        deps=(("lessons", "same_day"), ("dr_crosscheck", "same_day")),
        packages=_TO_WEAVE,
        text="Lessons that own a bounded patch and have a life.",
        checks=("bounded",),
    ),
    AssetEntry(
        name="meta_braids",
        group=BELIEF,
        kinds=("postgres",),
        deps=(("braids", "same_day"),),
        packages=_TO_WEAVE,
        text="Compositions of braids.",
        checks=(),
    ),
    AssetEntry(
        name="active_priors",
        group=BELIEF,
        kinds=("postgres",),
        deps=(("meta_braids", "same_day"),),
        packages=_TO_WEAVE,
        text="One new priors version, its snapshot and the PRIOR_PATCH that proposes it.",
        checks=("movement",),
    ),
    AssetEntry(
        name="governance_acts",
        group=BELIEF,
        kinds=("parquet", "postgres"),
        deps=(
            ("active_priors", "same_day"),
            ("detector_cards", "same_day"),
            ("drift_report", "same_day"),
            ("microtape_frames", "same_day"),
        ),
        packages=(*_TO_CURATION, "governance"),
        text="What the curators do after the night: vetoes and small nudges, in force from the second day on.",
        checks=("schema", "lawful"),
    ),
    AssetEntry(
        name="governance_week",
        group=BELIEF,
        kinds=("parquet", "postgres"),
        deps=(("governance_acts", "same_day"), ("signal_eval", "same_day"), ("expert_stats", "same_day")),
        packages=_TO_GOVERNANCE,
        text="On Mondays: what experts were worth in the week before, what they cost, and who is given compute.",
        checks=("schema",),
    ),
    AssetEntry(
        name="governance_day",
        group=BELIEF,
        kinds=("parquet", "postgres"),
        deps=(
            ("governance_acts", "same_day"),
            ("payoff_scores", "same_day"),
            ("braids", "same_day"),
            ("governance_week", "same_day"),
        ),
        packages=_TO_GOVERNANCE,
        text="What the night was made of, as one hash; what lessons promised, paid and cost; the daily brief.",
        checks=("schema", "metric_regression"),
    ),
    AssetEntry(
        name="window_facts",
        group=SCORE,
        deps=(
            ("microtape_frames", "same_day"),
            ("dsi_annotations", "same_day"),
            ("expert_set", "same_day"),
            ("signal_eval", "same_day"),
        ),
        packages=(*_TO_OUTCOMES, "coprocessor/model/window_facts.py"),
        text="By asset and hour: the market, how often experts' patterns stood, what followed; for a model's prompt.",
    ),
)
ALL_ASSETS = TAPE_ASSETS + LEARNING_ASSETS
BY_NAME = {entry.name: entry for entry in ALL_ASSETS}
