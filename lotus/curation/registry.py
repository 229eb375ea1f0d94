"""All curators of the platform: whose they are, what they may do, how far, and what shows whether they help.

Those of sig act through acts (`lotus.curation.sig`); those of dm and tr stand in every decision and every plan
(`lotus.decision.curators`, `lotus.trading.plan.curators`). Nobody else vetoes or nudges, but for people within the law.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lotus.curation.act import BIT_OF_ACTOR
from lotus.curation.facts import NightFacts, Proposal
from lotus.curation.law import REFIT, CuratorPower
from lotus.curation.sig import (
    adversarial,
    compliance,
    data,
    diversity,
    explainability,
    leakage,
    mutation,
    regime,
)
from lotus.decision.policy.policy import shipped_policy
from lotus.detectors.curators import CURATOR, MOST_TOGETHER
from lotus.trading.plan.curators import CURATORS as OF_PLANS

Judge = Callable[[NightFacts, float], Sequence[Proposal]]


@dataclass(frozen=True, slots=True)
class CuratorRole:
    """One curator: `cap` of its nudges (0: none; of tr: weight of its judgement), and its KPI in words."""

    module: str
    name: str
    vetoes: bool
    cap: float
    kpi: str
    judge: Judge | None = None

    @property
    def actor(self) -> str:
        """Its name in acts."""
        return f"{CURATOR}{self.name}"


SIG: Final = (
    CuratorRole("sig", "data", True, MOST_TOGETHER, "veto regret, value of its nudges", data.judge),
    CuratorRole("sig", "leakage", True, 0.0, "audit pass rate", leakage.judge),
    CuratorRole("sig", "diversity", True, MOST_TOGETHER, "effective number of detectors", diversity.judge),
    CuratorRole("sig", "regime", False, MOST_TOGETHER, "value of its nudges", regime.judge),
    CuratorRole("sig", "compliance", True, 0.0, "veto regret", compliance.judge),
    CuratorRole("sig", "mutation", False, MOST_TOGETHER, "false promotions, survival", mutation.judge),
    CuratorRole("sig", "adversarial", True, MOST_TOGETHER, "audit pass rate, veto regret", adversarial.judge),
    CuratorRole("sig", "explainability", True, 0.0, "days with its veto alone", explainability.judge),
)
BY_RULE: Final = tuple(role for role in SIG if role.name == "compliance")  # acts by the settings alone


def all_curators() -> tuple[CuratorRole, ...]:
    """Return every curator, those of sig first."""
    nudge = shipped_policy().overlay.nudge
    dm = (
        CuratorRole("dm", "risk", False, 0.0, "cuts of caps while the covariance is old"),
        CuratorRole("dm", "compliance", True, 0.0, "vetoes of coins"),
        CuratorRole("dm", "overlay", False, nudge, "wishes taken"),
    )
    tr = (CuratorRole("tr", c.name, c.vetoes, c.weight, "plans refused, cost of those accepted") for c in OF_PLANS)
    return (*SIG, *dm, *tr)


def powers() -> Mapping[str, CuratorPower]:
    """Return what curators may do by acts, by actor; those whose acts stand elsewhere may do nothing by one."""
    own = {role.actor: CuratorPower(role.cap, role.vetoes and role.actor in BIT_OF_ACTOR) for role in SIG}
    return own | {REFIT: CuratorPower(0.0, False, True)}
