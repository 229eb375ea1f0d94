"""From a stored event back to its terms and braids: every number recomputed and compared bit for bit.

Pure: the caller brings the event's row, the day tables it names and the priors version it names. Lessons, days and
frames behind a braid are found by whoever holds the ledger. Nothing is scored anew for use elsewhere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.detectors.curators import fragility_nudges, log_nudges
from lotus.detectors.daily.segment_list import group_of
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.draw import draw_keys, uniform
from lotus.detectors.scoring.records import floors_of, ln_term
from lotus.detectors.scoring.signal_spec import ACT_VETOES, ACTS, LEAKAGE, STAGE, VETOES
from lotus.detectors.scoring.step import cond_key, log_geometric_mean, propensity
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.stage_gate import GATE_TEXTS, StageGate
from lotus.errors import BeliefError, SchemaError
from lotus.manifest import Asset, Manifest
from lotus.priors.compiled import CAP_TILT, cap_tilt, caps_of
from lotus.priors.gate import cap_gate
from lotus.priors.segment_context import rule_words
from lotus.priors.trace import Trace, exploration_of, trace_priors
from lotus.priors.types import PriorsVersion
from lotus.priors.vocabulary import BIN_COLUMNS, describe_bins

Row = Mapping[str, Any]
_TERMS = ("kr_hbar", "kr_coherence", "kr_phi", "kr_novelty", "kr_emergence")


@dataclass(frozen=True, slots=True)
class ExplainStep:
    """One step: section, name, the value recomputed, what was stored (None = not stored), and how it comes about."""

    section: str
    name: str
    value: float
    stored: float | None
    text: str

    @property
    def exact(self) -> bool:
        """Whether the recomputed value has the stored bits."""
        if self.stored is None:
            return True
        return self.value == self.stored or (self.value != self.value and self.stored != self.stored)


@dataclass(frozen=True, slots=True)
class Explanation:
    """All steps of one event, the trace of its priors, its context in words, its vetoes, and whether its detector's
    stage of life has it drawn at the floor.
    """

    event_id: str
    steps: tuple[ExplainStep, ...]
    trace: Trace
    context: str
    vetoes: tuple[str, ...]
    is_floored: bool = False
    floors: tuple[float, float] | None = None  # of the propensity: the detector's, and the window's

    @property
    def exact(self) -> bool:
        """Whether every stored number was found again, bit for bit."""
        return all(step.exact for step in self.steps)


def explain_event(
    event: Row,
    tables: DayTables,
    priors: PriorsVersion,
    manifest: Manifest,
    detector: DetectorSpec,
) -> Explanation:
    """Recompute one row of SIGNAL_EVENTS from its inputs, the tables and the priors that it names.

    Raises `SchemaError` or `BeliefError` when tables, detector or priors are not those of the event.
    """
    if tables.tables_ver != event["tables_ver"] or detector.detector_id != event["detector_id"]:
        raise SchemaError(
            f"tables {tables.tables_ver} and detector {detector.detector_id}",
            f"{event['tables_ver']} and {event['detector_id']}",
            "tables of another day",
        )
    if priors.priors_ver != event["priors_ver"]:
        raise BeliefError(f"priors {priors.priors_ver}", str(event["priors_ver"]), "another version was in force")
    bins = [int(event[name]) for name in BIN_COLUMNS]
    evidence = _number(event, "mx_evidence")
    theta1 = max(0.0, _number(event, "kr_theta") - manifest.score.gamma_mx * (0.5 if np.isnan(evidence) else evidence))
    caps = caps_of(manifest.weave)
    end_ms, group = int(event["window_end_ms"]), group_of(event, tables)
    words = rule_words(manifest)
    trace = trace_priors(priors, detector.detector_id, bins, theta1, end_ms, caps, group, words)
    d = tables.detector_ids.index(detector.detector_id)
    kappa = manifest.score.kappa_fragility
    fragile, nudge = (float(of(tables, kappa)[d]) for of in (fragility_nudges, log_nudges))
    steps = [*_table_steps(event, tables, d), *_curator_steps(event, tables, d, fragile)]
    steps += [*_act_steps(event, tables, d, nudge), *_prior_steps(event, trace)]
    steps += _sigma_steps(event, trace, manifest, nudge, float(caps[CAP_TILT]))
    steps += _gate_steps(event, trace, caps)
    plain, most = (float(bounds[d]) for bounds in floors_of(tables, manifest.score.epsilon))
    mult, trusted = exploration_of(priors, detector.detector_id, trace.fired), manifest.weave.trust_floor
    floor = plain, max(min(plain * mult, most), trusted if trace.level else 0.0)
    is_floored = bool(tables.stage_gate) and tables.stage_gate[d] == StageGate.FLOOR
    steps += _publication_steps(event, manifest, detector, bins, floor, is_floored)
    vetoes = tuple(name for bit, name in VETOES.items() if int(event["veto"]) & bit)
    return Explanation(
        str(event["event_id"]), tuple(steps), trace, describe_bins(bins), vetoes, is_floored, (plain, floor[1])
    )  # fmt: skip


def _number(event: Row, name: str) -> float:
    return float(event[name])


def _table_steps(event: Row, tables: DayTables, d: int) -> list[ExplainStep]:
    named = {
        "sq_score": tables.sq_score, "kr_coherence": tables.kr_coherence, "kr_phi": tables.kr_phi,
        "kr_theta": tables.theta0, "kr_rho": tables.kr_rho, "kr_emergence": tables.kr_emergence,
        "kr_novelty": tables.kr_novelty, "tau_pub": tables.tau_pub, "temperature": tables.temperature,
    }  # fmt: skip
    steps = []
    for name, values in named.items():
        table_name = "theta0" if name == "kr_theta" else name
        why = "no history yet: its neutral value" if table_name in tables.neutral[d] else f"frozen for {tables.day}"
        steps.append(ExplainStep("tables", name, values[d], _number(event, name), why))
    parts = " ".join(f"{k} {v:.3f}" for k, v in sorted(tables.quality[d].items()))
    steps.append(ExplainStep("tables", "quality", tables.sq_score[d], None, parts or "no matured days yet"))
    return steps


def _curator_steps(event: Row, tables: DayTables, d: int, nudge: float) -> list[ExplainStep]:
    steps = []
    if tables.stage_gate:
        gate, stored = tables.stage_gate[d], float(int(event["veto"]) & STAGE != 0)
        steps.append(ExplainStep("curators", "stage_veto", float(gate == StageGate.CLOSED), stored, GATE_TEXTS[gate]))
    if not tables.leakage_veto:
        return steps
    share, vetoed = tables.adv_fragility[d], tables.leakage_veto[d]
    stored = float(int(event["veto"]) & LEAKAGE != 0)
    return [
        *steps,
        ExplainStep("curators", "adv_fragility", share, None, f"by the newest audit before; log nudge {nudge:+.6f}"),
        ExplainStep("curators", "leakage_veto", float(vetoed), stored, "1 = that audit failed: nothing is published"),
    ]


def _act_steps(event: Row, tables: DayTables, d: int, nudge: float) -> list[ExplainStep]:
    """Return each act in force on the detector, and what all of them and fragility come to; nothing without one."""
    nudges = tables.curator_nudge[d] if tables.curator_nudge else {}
    bits = tables.curator_veto[d] if tables.curator_veto else ()
    found = int(event["veto"]) & ACTS
    if not nudges and not any(bits) and not found:
        return []
    bit_of_coin = bits[tables.assets.index(str(event["asset"]))] if bits else 0
    steps = [
        ExplainStep("acts", actor, nudges[actor], None, "log nudge of an act in force") for actor in sorted(nudges)
    ]
    if nudges:
        steps.append(ExplainStep("acts", "nudge", nudge, None, "their sum with fragility, clipped to min(.15, T)"))
    names = ", ".join(name for bit, name in ACT_VETOES.items() if bit_of_coin & bit)
    return [
        *steps,
        ExplainStep("acts", "act_veto", float(bit_of_coin), float(found), names or "no act vetoes the coin"),
    ]


def _prior_steps(event: Row, trace: Trace) -> list[ExplainStep]:
    steps = [ExplainStep("priors", "theta1", trace.theta1, _number(event, "theta1"), "theta_0 - gamma mx_evidence")]
    for step in (step for step in trace.steps if step.gate == 0.0):
        text = f"{step.kind}: dtheta {step.theta_delta:+.6f}, phi x{step.phi_mult:.6f}; {step.note}"
        steps.append(ExplainStep("priors", step.name, step.theta_delta, None, text))
    steps.append(ExplainStep("priors", "theta2", trace.theta2, _number(event, "theta2"), "theta1 and the steps above"))
    steps.append(ExplainStep("priors", "phi_mult", trace.phi, _number(event, "phi_mult"), "product of the steps above"))
    steps.append(
        ExplainStep("priors", "fired", float(trace.fired), float(int(event["fired"])), "mask of braids that fired")
    )
    return steps


def _sigma_steps(event: Row, trace: Trace, manifest: Manifest, nudge: float, max_tilt: float) -> list[ExplainStep]:
    share, temperature = manifest.score.sq_share, _number(event, "temperature")
    terms = [_number(event, name) for name in _TERMS]
    gain = gain_of(event)
    quality = share * mathx.log(max(_number(event, "sq_score"), 1e-3)) + nudge
    plain = resonance(event, manifest, gain, trace.theta1, 1.0)
    actual = resonance(event, manifest, gain, trace.theta2, trace.phi)
    without = quality + (1.0 - share) * mathx.log(max(plain, 1e-3))
    sigma = quality + (1.0 - share) * mathx.log(max(actual, 1e-3))
    tilted = cap_tilt(sigma, without, temperature, max_tilt) if temperature > 0.0 else sigma
    clip = [ExplainStep("sigma", "total_tilt", tilted - sigma, None, f"clip: logit tilt held within {max_tilt}")]
    shown = min(max(actual, 0.0), 1.0), min(mathx.exp(sigma - nudge), 1.0)
    listed = "hbar {:.3f}, coherence {:.3f}, phi {:.3f}, novelty {:.3f}, emergence {:.3f}".format(*terms)
    return [
        ExplainStep("sigma", "G", gain, None, f"geometric mean of {listed}"),
        ExplainStep("sigma", "kr_delta_phi", shown[0], _number(event, "kr_delta_phi"), "G, penalties, evidence, phi"),
        ExplainStep("sigma", "det_sigma", shown[1], _number(event, "det_sigma"), f"weight of sq {share}"),
        ExplainStep("sigma", "ln_sigma_0", without, _number(event, "ln_sigma_0"), "without any braid"),
        *(clip if tilted != sigma else []),
        ExplainStep("sigma", "ln_sigma_tilde", tilted, _number(event, "ln_sigma_tilde"), "with braids"),
    ]


def gain_of(event: Row) -> float:
    """Return G, the geometric mean of the five terms of a row of SIGNAL_EVENTS."""
    return float(mathx.exp(log_geometric_mean(*(ln_term(_number(event, name)) for name in _TERMS))))


def resonance(event: Row, manifest: Manifest, gain: float, theta: float, phi: float) -> float:
    """Return delta phi of a row of SIGNAL_EVENTS before it is held within [0, 1], at some theta and phi."""
    score, evidence = manifest.score, _number(event, "mx_evidence")
    evidence = 0.5 if np.isnan(evidence) else evidence
    crowd = _number(event, "crowd_share")
    value: float = gain * mathx.power(1.0 - theta, score.penalty_a)
    value *= mathx.power(1.0 - _number(event, "kr_rho"), score.penalty_b)
    value *= 1.0 + score.beta_mx * (2.0 * evidence - 1.0)
    crowd = crowd if score.crowding_q == 1.0 else mathx.power(crowd, score.crowding_q)
    return value / (1.0 + score.crowding_c * crowd) * phi


def _gate_steps(event: Row, trace: Trace, caps: NDArray[np.float64]) -> list[ExplainStep]:
    """Return the gates of trusted braids and what is realised of them; nothing where no level fired and none acted."""
    if not trace.level and _number(event, "gate") == 0.0:
        return []
    temperature, gate = _number(event, "temperature"), 0.0
    if trace.level and temperature > 0.0:
        tilt = (_number(event, "ln_sigma_tilde") - _number(event, "ln_sigma_0")) / temperature
        gate = cap_gate(trace.gate, tilt, trace.level, caps)
    parts = [ExplainStep("gate", s.name, s.gate, None, f"{s.kind}: {s.note}") for s in trace.steps if s.gate != 0.0]
    limit = f"with the tilt of theta and phi within {caps[CAP_TILT + trace.level]:g}"
    return [
        ExplainStep("gate", "level", float(trace.level), None, "highest level of trust that fired"),
        *parts,
        ExplainStep("gate", "gate", gate, _number(event, "gate"), f"added to the logit after the temperature, {limit}"),
    ]


def _publication_steps(
    event: Row,
    manifest: Manifest,
    detector: DetectorSpec,
    bins: list[int],
    floor: tuple[float, float],
    is_floored: bool,
) -> list[ExplainStep]:
    """Return the steps from the logit to the draw; `floor` of the propensity: the detector's, and the window's."""
    (plain, epsilon), temperature = floor, _number(event, "temperature")
    ln_tau = math.inf if is_floored else mathx.log(_number(event, "tau_pub"))
    p = propensity(_number(event, "ln_sigma_tilde"), ln_tau, temperature, epsilon, _number(event, "gate"))
    p0 = propensity(_number(event, "ln_sigma_0"), ln_tau, temperature, plain, 0.0)
    asset = Asset(str(event["asset"]), 0)
    key = draw_keys(manifest.score.seed, [asset], [detector])[0, 0]
    draw = uniform(key[0], key[1], int(event["window_start_ms"]))
    eligible = int(event["veto"]) == 0
    pi = p if eligible else 0.0
    logits = [mathx.logit(min(max(x, low), 1.0 - low)) for x, low in ((p0, plain), (p, epsilon))]
    why = f"floor {plain} of the detector, moved by field braids or trust"
    moved = [ExplainStep("publication", "epsilon", epsilon, None, why)]
    key64 = int(cond_key(np.array(bins, dtype=np.uint8)))
    confirmed = _number(event, "mx_confirm")
    asked = [ExplainStep("publication", "mx_confirm", confirmed, None, "required: 1 = the experts confirm")]
    return [
        *(asked if detector.require else []),
        *(moved if epsilon != plain else []),
        ExplainStep("publication", "u0", logits[0], _number(event, "u0"), "logit of clipped pi without braids"),
        ExplainStep("publication", "u", logits[1], _number(event, "u"), "with braids"),
        ExplainStep("publication", "pi", pi, _number(event, "pi"), "0 when not eligible"),
        ExplainStep("publication", "draw", draw, _number(event, "draw"), "Philox of seed and event"),
        ExplainStep("publication", "published", float(draw < pi), float(bool(event["published"])), "draw < pi"),
        ExplainStep("publication", "cond_key", key64, int(event["cond_key"]), "hash of the twelve bins"),
    ]
