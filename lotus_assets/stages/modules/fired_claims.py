"""What braids claimed in the windows of a day: columns beside those of SIGNAL_EVENTS, from the versions that rows name.

Read from the ledger of beliefs; a row names its version and the braids that fired, so the columns follow from the rows.
Nothing is judged here (`lotus.decision.knowledge.claims`).
"""

from typing import Final

import numpy as np

from lotus.decision.knowledge.evidence import CLAIM, LEVEL
from lotus.priors.claims import NO_LEVEL, fired_claims, total_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.lake_tables import Columns
from lotus_store.ledger.beliefs.braids import claims_of
from lotus_store.ledger.beliefs.priors import read_version

FIRED_COLUMNS: Final = ("fired", "priors_ver")


def with_claims_of(ctx: StageContext, events: Columns) -> Columns:
    """Return columns of SIGNAL_EVENTS with the sum of the claims and the highest level of the braids that fired."""
    count = len(events["fired"])
    claim, level = np.zeros(count), np.full(count, NO_LEVEL, dtype=np.int64)
    fires = np.flatnonzero(events["fired"].astype(np.int64))
    names, which = np.unique(events["priors_ver"][fires].astype(str), return_inverse=True)
    for k, name in enumerate(names.tolist()):
        version = read_version(ctx.sig, ctx.branch, name)
        claims_bps = claims_of(ctx.sig, [braid.braid_id for braid in version.braids])
        rows = fires[which == k]
        keys = list(zip(events["detector_id"][rows].tolist(), events["fired"][rows].tolist(), strict=True))
        totals = {key: total_of(fired_claims(version, *key, claims_bps)) for key in set(keys)}
        claim[rows] = [totals[key][0] for key in keys]
        level[rows] = [totals[key][1] for key in keys]
    return {**events, CLAIM: claim, LEVEL: level}
