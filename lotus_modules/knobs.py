"""Which knobs and styles a plan is executed with, and a book is decided with, by the version in force in its module.

A version counts from its event time on. Its effect in a context is `lotus.trading.plan.knob_choice`'s and
`lotus.decision.policy.in_force`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgspec import UNSET

from lotus.decision.policy.experiments import tried_knobs
from lotus.decision.policy.in_force import policy_in_force
from lotus.decision.policy.policy import Policy
from lotus.detectors.entry_style import EntryPlan
from lotus.errors import BeliefError
from lotus.knobs.experiment import KnobExperiment, drawn_experiment
from lotus.knobs.style_draw import StyleDraw, drawn_style
from lotus.manifest import WeaveDefaults
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Module, Reason
from lotus.modules.messages.trading import WindowTarget
from lotus.priors.context import context_bins, context_text, market_context
from lotus.priors.types import PriorsVersion
from lotus.trading.plan.knob_choice import KnobChoice, choice_of
from lotus.trading.plan.knobs import TRIED
from lotus.trading.plan.plan import Plan, PlanKind
from lotus.trading.plan.styles import Styles
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.priors import in_force_at


@dataclass(frozen=True, slots=True)
class KnobChooser:
    """Chooses for one trader; `explore` is the share of the book's plans that take part in trials, drawn by `seed`."""

    weave: WeaveDefaults = field(default_factory=WeaveDefaults)
    explore: float = 0.0
    seed: int = 7

    def choice(
        self,
        connection: Connection,
        branch: str,
        context: str,
        time_ms: int,
        plan: Plan | None = None,
        detector_id: str = "",
    ) -> KnobChoice:
        """Return the choice for a plan accepted at an event time; only one of the book may be in a trial.

        `detector_id`: whose view leads it, "" where none does.
        Raises `RefusedError` for a strange context.
        """
        try:
            bins = context_bins(context)
        except BeliefError as problem:
            raise RefusedError(Reason.BAD_PAYLOAD, str(problem), "the context of a proposal") from problem
        version = in_force_at(connection, branch, time_ms, Module.TR.value)
        return choice_of(version, context, bins, time_ms, self.weave, self._trial(plan, time_ms), detector_id)

    def _trial(self, plan: Plan | None, time_ms: int) -> KnobExperiment | None:
        """Return the trial of a plan; probes are the yardstick of the detectors and are in none."""
        if plan is None or plan.kind is not PlanKind.BOOK:
            return None
        return drawn_experiment(str(plan.plan_id), time_ms, TRIED, self.explore, self.weave.phi_step, self.seed)


@dataclass(frozen=True, slots=True)
class StyleChooser:
    """Which style probes are executed in: what is ordered, then what their detectors declare, then what is drawn.

    `shares`: of joining and of improving, drawn by `seed` among probes that would cross; `declared` by detector.
    """

    shares: tuple[float, float] = (0.0, 0.0)
    seed: int = 7
    declared: Mapping[str, EntryPlan] = field(default_factory=dict)

    def of_probe(self, target: WindowTarget, usual: Styles) -> tuple[Styles, StyleDraw | None]:
        """Return the styles of a window's probe, `usual` where nothing says more, and the draw that it is a trial of.

        A window without a horizon cannot wait and is in no trial.
        """
        ordered = (target.entry_style, target.entry_fallback, target.exit_style)
        if any(name is not UNSET for name in ordered) or target.horizon_s is UNSET:
            return usual.ordered(*("" if name is UNSET else name for name in ordered)), None
        entry = self.declared.get(target.detector_id or "")
        if entry is not None:
            return Styles(entry.style, entry.fallback, entry.style), None
        draw = drawn_style(target.event_id, self.shares, self.seed) if usual.crosses else None
        return (usual, None) if draw is None else (Styles(entry=draw.style, exit=draw.style), draw)


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """The policy that a window is decided with, the version that moved its knobs, and the market's context as text.

    In a `trial` only the draw moves the knob that is tried; `start` is the same policy with that knob where the file
    puts it (`policy` itself in arm 0 and outside of trials).
    """

    policy: Policy
    priors_ver: str
    context: str
    trial: KnobExperiment | None
    start: Policy


@dataclass(frozen=True, slots=True)
class PolicyChooser:
    """Chooses for one decision-maker; `policy` is the file's.

    `explore` is the share of its windows that take part in trials of the policy's knobs, drawn by `seed`.
    """

    policy: Policy
    weave: WeaveDefaults = field(default_factory=WeaveDefaults)
    explore: float = 0.0
    seed: int = 7

    def choice(self, version: PriorsVersion, contexts: Sequence[str], time_ms: int, name: str) -> PolicyChoice:
        """Return the choice for a decision made at an event time, at which `version` is in force.

        `contexts` are of the market's newest windows. A trial is drawn by the decision's `name`.
        """
        bins = market_context(contexts)
        tried, step = tried_knobs(self.policy, self.weave.phi_step), self.weave.phi_step
        trial = drawn_experiment(name, time_ms, tried, self.explore, step, self.seed)
        policy = start = policy_in_force(self.policy, version, bins, time_ms, self.weave, trial)
        if trial is not None and trial.arm:
            start = policy_in_force(self.policy, version, bins, time_ms, self.weave, replace(trial, arm=0))
        return PolicyChoice(policy, version.priors_ver, context_text(bins), trial, start)
