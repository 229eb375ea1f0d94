"""One run of the breeder on a home: panel, charged search, who may enter and why the others may not.

Killed at any point and begun again with the same words on the same days, it charges nothing twice, loses no charge
and keeps the same rows.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lotus.coprocessor.auditor import beside
from lotus.coprocessor.bar import ENTRANTS, CandidateVerdict, Finalist, finalists
from lotus.coprocessor.breeding import CPU_S, TRIALS, Breeder, BreedPlan, TrialCharge
from lotus.coprocessor.challengers.pool import Parent
from lotus.coprocessor.challengers.search import challenge
from lotus.coprocessor.genome import HORIZONS_S, Genome, read, spec_text
from lotus.coprocessor.panel import DAY_MS, Panel
from lotus.coprocessor.scoring import day_sums, rounded
from lotus.coprocessor.signs import reachable
from lotus.detectors.spec import parse_spec
from lotus.errors import ConfigError
from lotus.hashing import key64, natural_id
from lotus.manifest import Manifest
from lotus.names import BRED
from lotus.progress.steps import Steps, untold
from lotus.tape_machine.parser import parse
from lotus.timebase import day_of
from lotus_assets.breeding.audits import audited
from lotus_assets.breeding.challengers import segment_flags, standing
from lotus_assets.breeding.home_panel import home_panel, matured_days, panel_name
from lotus_assets.coprocessor.arm import ModelArm
from lotus_assets.coprocessor.asking import arm_of, asked_of, end_arm, parted_ideas
from lotus_assets.stages.context import StageContext
from lotus_assets.what_if.answer import home_context
from lotus_store.config import Settings
from lotus_store.ledger.beliefs.candidates import (
    ChargedRun,
    charge_trials,
    put_finalist,
    trials_before,
    trials_ever,
    trials_with,
)
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.experiment_runs import ExperimentAsked, experiment_run

LEAST_DAYS: Final[int] = 10  # matured; fewer are not bred on
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BreedWords:
    """How a run is asked for: `seed` None means that of branch and night; `monday` names the one that it is due on.

    `ideas` are the operator's own: expressions to begin with, or one sentence for the model that is set up. `proposed`
    are candidates of a person: with them nothing else is searched and no model is asked.
    """

    trials: int = TRIALS
    cpu_s: float = CPU_S
    seed: int | None = None
    ideas: tuple[str, ...] = ()
    until: str = ""
    least_days: int = LEAST_DAYS
    monday: str = ""
    proposed: tuple[Genome, ...] = ()


def breed(settings: Settings, words: BreedWords, progress: Steps = untold) -> Facts:
    """Breed on the matured days of a home and return what was found.

    Raises `ConfigError` where there are too few days, and for an idea that is no candidate while no model is asked.
    """
    with home_context(settings) as ctx:
        days = matured_days(ctx, words.until)
        if len(days) < words.least_days:
            cause = "days mature when the hour after their last window is on the tape and the night has run"
            raise ConfigError(f"{len(days)} matured days: no breeding", f"at least {words.least_days}", cause)
        night = days[-1]
        seed = key64("breed", ctx.branch, night) % 2**31 if words.seed is None else words.seed
        expressions, sentence = parted_ideas(words.ideas, settings.llm.mode != "off")
        ideas = words.proposed or _ideas(expressions, ctx.manifest)
        plan = BreedPlan(seed, len(words.proposed) or words.trials, words.cpu_s, ideas=ideas)
        rivals = standing(ctx)
        others = () if words.proposed else (*asked_of(settings, sentence), *(one.name for one in rivals))
        name = _run_name(ctx, days, plan, others)
        run = ChargedRun(name, ctx.branch, night, settings.llm.knows_until)
        arm = None if words.proposed else arm_of(ctx, name, night, sentence)
        before = trials_before(ctx.sig, run.run)
        config = {"run": run.run, "night": night, "days": len(days), "trials": plan.trials, "n_before": before}
        config |= {"monday": words.monday} if words.monday else {}
        with experiment_run(settings, ExperimentAsked("breed", config, seeds={"breed": seed})) as metrics:
            began = time.process_time()
            challenged = not words.proposed
            facts = _bred(ctx, days, plan, run, before, arm, rivals, challenged, progress)
            facts["cpu_s"] = round(time.process_time() - began, 1)
            metrics |= {name: facts[name] for name in ("n_before", "n_after", "bar", "trials", "cpu_s", "stopped_by")}
            facts["llm"] = arm.facts_of_arm() if arm else {}
            metrics |= {f"llm_{name}": value for name, value in facts["llm"].items()}
            metrics["screened"] = sum(c["state"] == "screened" for c in facts["candidates"])
    return facts


def _bred(
    ctx: StageContext, days: Sequence[str], plan: BreedPlan, run: ChargedRun, before: int, arm: ModelArm | None,
    rivals: Sequence[Parent], challenged: bool, progress: Steps,
) -> Facts:  # fmt: skip
    panel = home_panel(ctx, days, progress)
    if len(panel) < 2:
        raise ConfigError(f"{len(panel)} whole days to score on", "two or more", "gaps, or sessions of under an hour")

    def charge(charges: Sequence[TrialCharge]) -> None:
        charge_trials(ctx.sig, run, charges)
        progress("trials", len(breeder.run.scored), plan.trials)

    breeder = Breeder(panel, plan, charge, arm)
    began = time.process_time()
    found = breeder.breed(lambda: time.process_time() - began)
    if arm is not None:
        end_arm(ctx, arm, run)
    searched = found.trials
    made = challenge(breeder, charge, rivals, segment_flags(ctx, run.night)) if challenged else None
    bred = [one for one in rivals if one.is_candidate]
    sums = day_sums([one.genome for one in bred], [one.side for one in bred], panel)[:, :, 0]
    profiles = {one.name: own for one, own in zip(bred, sums.tolist(), strict=True)}
    looked_at = finalists(breeder, lambda: trials_with(ctx.sig, before, list(found.scored), run.run))
    rows = []
    for one in looked_at:
        finalist, audits = _audited(ctx, run, beside(one, profiles))
        body = _body(finalist, run, panel) | {"audits": audits}
        put_finalist(ctx.sig, run, finalist, body)
        verdict = finalist.verdict
        rows.append(body | {
            "candidate_id": finalist.genome.canonical, "state": verdict.state, "check": verdict.check,
            "value": verdict.value, "bound": verdict.bound, "reason": verdict.words,
        })  # fmt: skip
    after = trials_with(ctx.sig, before, list(found.scored), run.run)
    return {
        "run": run.run, "branch": run.branch, "night": run.night, "days": len(days), "scored_days": len(panel),
        "seed": plan.seed, "trials": searched, "charged_after_search": found.trials - searched, "n_before": before,
        "n_after": after, "n_ever": trials_ever(ctx.sig), "bar": math.log(max(1, after)),
        "reachable": reachable(len(panel)), "stopped_by": found.stopped_by, "generations": found.generation,
        "bits": found.identity(), "entrants": ENTRANTS, "candidates": rows,
        "challengers": to_plain(made) if made else {},
    }  # fmt: skip


def _audited(ctx: StageContext, run: ChargedRun, finalist: Finalist) -> tuple[Finalist, Facts]:
    """Return one that would enter with the verdict of its audits; nothing enters that no audit could look at.

    And what the audits found; nothing of one that would not enter.
    """
    if finalist.verdict.state != "screened":
        return finalist, {}
    audits = audited(ctx, run.night, parse_spec(_text(finalist), finalist.genome.canonical))
    facts = {"looked": audits.looked, "failed": list(audits.failed)} if audits.looked else {}
    if audits.looked and not audits.failed:
        return replace(
            finalist, verdict=replace(finalist.verdict, words=f"{finalist.verdict.words}; audits pass")
        ), facts
    why = f"failed: {', '.join(audits.failed)}" if audits.looked else f"{run.night} is too short to audit"
    return replace(finalist, verdict=CandidateVerdict("refused", "audits", float(len(audits.failed)), 0.0, why)), facts


def _body(finalist: Finalist, run: ChargedRun, panel: Panel) -> Facts:
    score, genome = finalist.score, finalist.genome
    weights = day_sums([genome], [score.side], panel)[0, :, 1]
    return {
        "expression": genome.text, "side": score.side, "horizon_s": genome.horizon_s, "t": score.t,
        "folds": list(score.folds), "daily_bps": list(score.daily),
        "days": [day_of(block * DAY_MS) for block in panel.blocks],
        "daily_weight": list(map(rounded, weights.tolist())), "depth": genome.depth, "nodes": genome.nodes,
        "found_as": finalist.found.genome.text, "found_nodes": finalist.found.genome.nodes,
        "operator": finalist.found.operator, "parents": list(finalist.found.parents), "spec": _text(finalist),
        "run": run.run,
    }  # fmt: skip


def _text(finalist: Finalist) -> str:
    genome, score = finalist.genome, finalist.score
    idea = f"Bred; T {score.t:.2f} over {len(score.daily)} days, {genome.nodes} nodes."
    return spec_text(genome, score.side, f"{BRED}{genome.canonical[:12]}", idea)


def _ideas(texts: Sequence[str], manifest: Manifest) -> tuple[Genome, ...]:
    """Return each expression as a candidate of every horizon that is evaluated."""
    judged = [h for h in HORIZONS_S if h in manifest.outcomes.horizons_s]
    return tuple(read(parse(text), h, manifest.kernel.window_ms) for text in texts for h in judged)


def _run_name(ctx: StageContext, days: Sequence[str], plan: BreedPlan, asked: Sequence[str]) -> str:
    ideas = [*(g.canonical for g in plan.ideas), *asked]
    return natural_id("breed", ctx.branch, panel_name(ctx, days), plan.seed, plan.trials, plan.population, *ideas)
