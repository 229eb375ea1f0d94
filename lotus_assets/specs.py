"""Dagster specs from the catalogue: asset specs, check specs and the external belief.

Only the translation of `catalogue` belongs here, so that definitions, golden graph and documentation agree.
"""

import dagster as dg

from lotus_assets.catalogue import ADVISORY_CHECKS, BELIEF, EXTERNAL_BELIEF, OWNERS, AssetEntry
from lotus_assets.code_version import code_version
from lotus_assets.partitions import BELIEF_DAYS, DAILY, EDGES

CHECK_TEXTS = {
    "schema": "Columns, types, ranges, nulls, unique and sorted key are those of the table's specification.",
    "segments_intact": "Every closed segment reads whole and hashes to its recorded hash.",
    "gaps_accounted": "Every silence beyond the limit is a row, and nothing is computed across one.",
    "no_look_ahead": "Recomputed on a tape cut at random points, the last values are equal bit for bit.",
    "bounded": "Every patch lies within the bounds of one braid, and none acts without grade A or B.",
    "lawful": "Every act that a curator proposes is within the law; every rule of compliance names something.",
    "movement": "No nightly run moves a braid's patch by more than the nightly limits.",
    "audits_awake": "Every leakage audit catches a planted column that equals the future return.",
    "leakage": "No detector shows that it knows the future; one that does is vetoed and its version ended.",
    "fragility": "No detector loses most of its score when the tape is disturbed.",
    "live_parity": "Where the daemon ran, its log holds what is recomputed here; what differs is left out of learning.",
    "drift": "No family of monitors is in alarm: the sum of bets that days are as days like them stays below 365.",
    "metric_regression": "No number of a detector version moved by more than 1e-6 of itself as its day was made again.",
    "chance": "No window was published at propensity 0; what the tape dropped does not depend on publication.",
    "promises_kept": "Promised hits come: in no more than half of the groups of promises are they fewer than told.",
    "significant": "Each lesson of the run or in force: interval beyond zero, bound of its sign, both lanes passed.",
    "support": "Each lesson of the run or in force has the days, blocks, windows and coverage that the gates want.",
    "error_budget": "No lane spent more than the budget year allows; lessons are charged every rule searched.",
    "whole": "Every row has a name of its own, the hash of its content; only what was accepted may own a patch.",
    "overlap": "Propensities of eligible windows lie in [epsilon, 1 - epsilon]; of the others they are zero.",
}
BELIEF_TEXT = (
    "Beliefs in force from the swap of the day (02:00 UTC) to the next one: reported when the module has applied the "
    "PRIOR_PATCH of the day before. Not computed: delivered."
)


def spec_of(entry: AssetEntry, skippable: bool = False) -> dg.AssetSpec:
    """Return the asset spec of a catalogue entry."""
    return dg.AssetSpec(
        entry.name,
        deps=[dg.AssetDep(name, partition_mapping=EDGES[edge]) for name, edge in entry.deps],
        description=entry.text,
        group_name=entry.group,
        kinds=set(entry.kinds),
        owners=OWNERS,
        code_version=code_version(*entry.packages),
        partitions_def=DAILY,
        skippable=skippable,
    )


def check_specs(entry: AssetEntry) -> list[dg.AssetCheckSpec]:
    """Return the checks of a catalogue entry; all but the advisory ones block."""
    return [
        dg.AssetCheckSpec(name, asset=entry.name, blocking=name not in ADVISORY_CHECKS, description=CHECK_TEXTS[name])
        for name in entry.checks
    ]


def belief_spec() -> dg.AssetSpec:
    """Return the external asset that carries the belief edge from one day to the next."""
    return dg.AssetSpec(
        EXTERNAL_BELIEF,
        description=BELIEF_TEXT,
        group_name=BELIEF,
        kinds={"postgres"},
        owners=OWNERS,
        partitions_def=BELIEF_DAYS,
    )
