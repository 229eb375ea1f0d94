"""The catalogue of assets: name, group, kinds, dependencies, pure packages and one line of text each.

Definitions, stages, documentation and the golden asset graph all read this table. Names are those of the tables and
files. Nothing is computed here.
"""

from dataclasses import dataclass

TAPE, SCORE, LEARN, BELIEF, DECIDE = "tape", "scoring", "learning", "beliefs", "decision"
OWNERS = ["team:lotus"]
EXTERNAL_BELIEF = "priors_in_force"
ADVISORY_CHECKS = frozenset(
    {"live_parity", "leakage", "fragility", "promises_kept", "significant", "support"}
)  # a failure is told and stops nothing


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """One daily asset; `deps` are (asset, edge) with edge a key of `partitions.EDGES`."""

    name: str
    group: str
    kinds: tuple[str, ...]
    deps: tuple[tuple[str, str], ...]
    packages: tuple[str, ...]
    text: str
    checks: tuple[str, ...] = ("schema",)


_TO_MICROTAPE = ("microtape",)
_TO_EXPERTS = (*_TO_MICROTAPE, "experts")
_TO_DETECTORS = (*_TO_EXPERTS, "priors", "detectors")
_TO_OUTCOMES = (*_TO_DETECTORS, "outcomes")
_TO_LEARNING = (*_TO_OUTCOMES, "learning")
_TO_DECISION = (*_TO_OUTCOMES, "modules", "decision")
_TO_WEAVE = (*_TO_LEARNING, "weave", "modules")
_TO_POLICY = (*_TO_WEAVE, "knobs", "decision")
_TO_TRADING = (*_TO_WEAVE, "knobs", "trading")

TAPE_ASSETS = (
    AssetEntry(
        "raw_tape",
        TAPE,
        ("zstd",),
        (),
        _TO_MICROTAPE,
        "Arrival-ordered frames of the venue as recorded, imported or simulated, with gaps and completeness.",
        ("segments_intact", "gaps_accounted"),
    ),
    AssetEntry(
        "microtape_frames",
        TAPE,
        ("parquet", "numba"),
        (("raw_tape", "same_day"),),
        _TO_MICROTAPE,
        "One row of features per asset and 200 ms, and the quotes that probes take.",
        ("schema", "gaps_accounted", "no_look_ahead"),
    ),
    AssetEntry(
        "dsi_annotations",
        TAPE,
        ("parquet", "numba"),
        (("microtape_frames", "same_day"),),
        _TO_EXPERTS,
        "What the experts see in every frame: z, flag, confidence and the fused evidence.",
        ("schema", "no_look_ahead"),
    ),
    AssetEntry(
        "sanity_table",
        TAPE,
        ("parquet",),
        (("microtape_frames", "same_day"), ("dsi_annotations", "same_day")),
        _TO_OUTCOMES,
        "Every frame column, expert and detector against the mid moves after it: intervals, cost, losers included.",
    ),
)

LEARNING_ASSETS = (
    AssetEntry(
        "expert_set",
        SCORE,
        ("parquet", "postgres", "numba"),
        (("microtape_frames", "same_day"), ("dsi_annotations", "same_day"), (EXTERNAL_BELIEF, "day_and_before")),
        _TO_EXPERTS,
        "The experts in force on the day: weights, who is off, calibrations, nets; what they say where not as shipped.",
    ),
    AssetEntry(
        "signal_events",
        SCORE,
        ("parquet", "postgres", "numba"),
        (
            ("microtape_frames", "same_day"),
            ("dsi_annotations", "same_day"),
            ("expert_set", "same_day"),
            (EXTERNAL_BELIEF, "day_and_before"),
        ),
        _TO_DETECTORS,
        "Every scored window of every detector with propensity, draw, context bins and the priors that scored it.",
        ("schema", "overlap", "no_look_ahead", "live_parity"),
    ),
    AssetEntry(
        "detector_audits",
        SCORE,
        ("parquet", "numba"),
        (("signal_events", "same_day"), ("microtape_frames", "same_day")),
        _TO_DETECTORS,
        "Who knows the future and who breaks: a stretch of the day scored again, cut short, shuffled and disturbed.",
        ("schema", "audits_awake", "leakage", "fragility"),
    ),
    AssetEntry(
        "meta_signals",
        SCORE,
        ("parquet", "numba"),
        (("signal_events", "same_day"),),
        _TO_DETECTORS,
        "Budget cues of every window and asset: timing, synchrony, disagreement, asymmetry. They carry no direction.",
    ),
    AssetEntry(
        "signal_eval",
        SCORE,
        ("parquet",),
        (("signal_events", "same_day"), ("microtape_frames", "same_day")),
        _TO_OUTCOMES,
        "Probe payoffs P and Y, forward returns, hits and excursions of the windows that mature on the day.",
        ("schema", "gaps_accounted"),
    ),
    AssetEntry(
        "detector_dsi_attrib",
        SCORE,
        ("parquet",),
        (("signal_eval", "same_day"), ("signal_events", "same_day"), ("expert_set", "same_day")),
        _TO_OUTCOMES,
        "Credit of every expert in each detector's published windows: share, agreement, covariance with the payoff.",
    ),
    AssetEntry(
        "expert_training",
        SCORE,
        ("parquet",),
        (("dsi_annotations", "same_day"), ("expert_set", "same_day")),
        _TO_EXPERTS,
        "On Mondays: the convolution trained on the seven days before; taken up where it beats the one in force.",
    ),
    AssetEntry(
        "expert_stats",
        SCORE,
        ("postgres", "numba"),
        (("dsi_annotations", "same_day"), ("expert_set", "same_day"), ("expert_training", "same_day")),
        _TO_EXPERTS,
        "On Mondays: reliability of every expert, twins, kill rule, refit; what wins out of sample comes in force.",
        (),
    ),
    AssetEntry(
        "payoff_scores",
        LEARN,
        ("parquet",),
        (("signal_eval", "same_day"),),
        _TO_LEARNING,
        "Overlap-weighted scores f and weights h per window, written once.",
        ("schema", "chance"),
    ),
    AssetEntry(
        "module_numbers",
        SCORE,
        ("postgres",),
        (("payoff_scores", "same_day"),),
        ("atlas",),
        "Of every module: dominant rhythm of its quality, what acting changed, with whom it is bound; for the ledger.",
        (),
    ),
    AssetEntry(
        "dm_evidence",
        DECIDE,
        ("parquet",),
        (("signal_events", "same_day"), ("signal_eval", "same_day"), ("microtape_frames", "same_day")),
        _TO_DECISION,
        "What became known of promises and scores on the day, as sums; what pairs of sources said; returns of minutes.",
    ),
    AssetEntry(
        "dm_knowledge",
        DECIDE,
        ("postgres",),
        (("dm_evidence", "same_day"),),
        _TO_DECISION,
        "What the decision-maker knows on later days: calibration, reliability, covariance, who says the same.",
        ("promises_kept",),
    ),
    AssetEntry(
        "dm_trials",
        LEARN,
        ("parquet",),
        (("microtape_frames", "same_day"),),
        _TO_POLICY,
        "What decisions with a knob of the policy on trial were worth over their horizon, beside those at its start.",
    ),
    AssetEntry(
        "dm_lessons",
        LEARN,
        ("postgres",),
        (("dm_trials", "same_day"),),
        _TO_POLICY,
        "Where a moved knob of the policy pays, by the detectors' tests under an alpha of its own; average effects.",
        (),
    ),
    AssetEntry(
        "dm_braids",
        BELIEF,
        ("postgres",),
        (("dm_lessons", "same_day"),),
        _TO_POLICY,
        "Bounded multipliers of the policy's knobs and the decision-maker's own PRIOR_PATCH where they changed.",
        ("bounded",),
    ),
    AssetEntry(
        "detector_cards",
        SCORE,
        ("parquet",),
        (("signal_events", "same_day"), ("signal_eval", "same_day"), ("detector_audits", "same_day")),
        _TO_OUTCOMES,
        "Every detector version: stage of life, quality over days, net payoff with its interval, failure modes.",
    ),
    AssetEntry(
        "tr_trials",
        LEARN,
        ("parquet",),
        (),
        _TO_TRADING,
        "What plans of the book that tried a knob of execution cost, on the moved side and on the other.",
    ),
    AssetEntry(
        "tr_lessons",
        LEARN,
        ("postgres",),
        (("tr_trials", "same_day"),),
        _TO_TRADING,
        "Where a moved knob of execution pays, by the detectors' tests under an alpha of its own; average effects.",
        (),
    ),
    AssetEntry(
        "tr_braids",
        BELIEF,
        ("postgres",),
        (("tr_lessons", "same_day"),),
        _TO_TRADING,
        "Bounded multipliers of knobs of execution and the trader's own PRIOR_PATCH where they changed.",
        ("bounded",),
    ),
    AssetEntry(
        "lesson_atoms",
        LEARN,
        ("parquet",),
        (("payoff_scores", "same_day"),),
        _TO_LEARNING,
        "Additive sums r, h, n per detector, six-hour block, feature triple and cell.",
    ),
    AssetEntry(
        "lessons",
        LEARN,
        ("postgres",),
        (("lesson_atoms", "same_day"),),
        _TO_WEAVE,
        "Rules that survived the night's family-wise test, and those refused with the number that failed.",
        ("significant", "support", "error_budget", "whole"),
    ),
    AssetEntry(
        "dr_crosscheck",
        LEARN,
        ("postgres",),
        (("lessons", "same_day"),),
        _TO_WEAVE,
        "On Mondays: every active lesson estimated again by a doubly robust learner, both estimates side by side.",
        (),
    ),
    AssetEntry(
        "braids",
        BELIEF,
        ("postgres",),
        (("lessons", "same_day"), ("dr_crosscheck", "same_day")),
        _TO_WEAVE,
        "Lessons that own a bounded patch and have a life.",
        ("bounded",),
    ),
    AssetEntry(
        "meta_braids",
        BELIEF,
        ("postgres",),
        (("braids", "same_day"),),
        _TO_WEAVE,
        "Compositions of braids.",
        (),
    ),
    AssetEntry(
        "active_priors",
        BELIEF,
        ("postgres",),
        (("meta_braids", "same_day"),),
        _TO_WEAVE,
        "One new priors version, its snapshot and the PRIOR_PATCH that proposes it.",
        ("movement",),
    ),
)
ALL_ASSETS = TAPE_ASSETS + LEARNING_ASSETS
BY_NAME = {entry.name: entry for entry in ALL_ASSETS}
