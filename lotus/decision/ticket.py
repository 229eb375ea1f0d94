"""The ticket `dm-decision-1.0`: a decision as it is published, checked against its schema. Targets, never orders.

`dm-decision-1.1` where cues under fitted weights were counted: what they made of turnover, and which coins are under
stress.

Its name is the hash of its content; times are UTC to the millisecond. What is decided is `decide`; how the ticket is
carried belongs to the modules.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, Final

import fastjsonschema

from lotus.decision.allocation.relax import Allocation
from lotus.decision.curators import Curation
from lotus.decision.decide import Decision, Target
from lotus.decision.knowledge.calibration import DmAlpha
from lotus.errors import SchemaError
from lotus.hashing import natural_id
from lotus.modules.canonical import canonical_json

DM_DECISION: Final = "dm-decision-1.0"
DM_DECISION_FITTED: Final = "dm-decision-1.1"
SCHEMAS: Final = (DM_DECISION, DM_DECISION_FITTED)  # readers take both
TOP: Final = 20  # views that are named
Payload = dict[str, Any]


def ticket_of(decision: Decision) -> Payload:
    """Return the payload of a decision, valid under its schema, with its name."""
    state = decision.state
    schema_ver = DM_DECISION_FITTED if decision.budgets.is_fitted else DM_DECISION
    body: Payload = {
        "schema_ver": schema_ver,
        "branch": state.branch,
        "portfolio_id": state.portfolio_id,
        "asof_ts": _utc(state.asof_ms),
        "valid_until": _utc(decision.valid_until_ms),
        "horizon_s": decision.horizon_s,
        "status": decision.allocation.status if decision.allocation else "empty",
        "detail": decision.allocation.detail[:400] if decision.allocation else "",
        "equity_usd": state.equity_usd,
        "confidence": decision.confidence,
        "targets": [_target(t) for t in decision.targets],
        "authority": _authority(decision),
        "multipliers": _multipliers(decision),
        "meta_signals_used": list(decision.budgets.used),
        "meta_signals_missing": list(decision.budgets.missing),
        "top_alphas": _top(decision),
        **_solved(decision.allocation),
        "curation": _curation(decision),
        "intelligence": {"dm_fuse_quality": decision.fuse_quality, "dm_capacity_risk": decision.capacity_risk},
        "not_used": [{"what": u.what[:128] or "-", "reason": u.reason[:400]} for u in decision.not_used],
        "versions": {
            "policy": state.policy.version,
            "calibration": state.calibration.version,
            "calibration_day": state.calibration.day,
            "covariance": state.covariance.version,
            "optimiser": decision.optimiser,
            "priors_ver": state.priors_ver,
        },
    }
    return check_ticket({"decision_id": natural_id(schema_ver, canonical_json(body)), **body})


def check_ticket(payload: Payload) -> Payload:
    """Return the payload when it is a valid ticket of the name that it carries; raises `SchemaError` when not."""
    schema_ver = payload.get("schema_ver") if payload.get("schema_ver") in SCHEMAS else DM_DECISION
    try:
        _validator(str(schema_ver))(payload)
    except fastjsonschema.JsonSchemaValueException as problem:
        raise SchemaError(problem.message, f"a payload of {schema_ver}") from problem
    body = {name: value for name, value in payload.items() if name != "decision_id"}
    named = natural_id(str(schema_ver), canonical_json(body))
    if payload["decision_id"] != named:
        raise SchemaError(f"decision {payload['decision_id']}", named, "changed after it was named")
    return payload


def prepare() -> None:
    """Compile the schemas, which the first ticket would otherwise wait for; a daemon calls it before it begins."""
    for schema_ver in SCHEMAS:
        _validator(schema_ver)


@cache
def decision_schema(schema_ver: str = DM_DECISION) -> Mapping[str, Any]:
    """Return the JSON schema of a ticket."""
    text = (resources.files("lotus.modules") / "schemas" / f"{schema_ver}.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator(schema_ver: str) -> Callable[[Payload], object]:
    made: Callable[[Payload], object] = fastjsonschema.compile(
        dict(decision_schema(schema_ver)), use_default=False, use_formats=False
    )
    return made


def _target(t: Target) -> Payload:
    terms = {"terms": [asdict(term) for term in t.terms]} if t.terms else {}
    return (
        terms
        | _asymmetry(t)
        | {
            "coin": t.coin,
            "weight": t.weight,
            "held": t.held,
            "min": t.low,
            "max": t.high,
            "notional_usd": t.notional_usd,
            "mu_bps": t.mu_bps,
            "trigger": t.trigger,
        }
    )


def _asymmetry(t: Target) -> Payload:
    if t.asymmetry is None:
        return {}
    found = t.asymmetry
    return {"asymmetry": {"score": found.score, "drivers": dict(found.drivers), "urgency": found.urgency.value}}


def _authority(decision: Decision) -> Payload:
    authority, budgets = decision.state.authority, decision.budgets
    gross = min(authority.gross, decision.state.policy.caps.gross)
    turnover = max(budgets.turnover, decision.allocation.turnover if decision.allocation else 0.0)  # relaxed is allowed
    return {
        "account_id": authority.account_id,
        "budget": {"gross": gross, "turnover": turnover, "risk_bps": budgets.risk_bps},
        "executors": [{"executor": name, "weight": weight} for name, weight in decision.executors],
    }


def _multipliers(decision: Decision) -> Payload:
    budgets = decision.budgets
    return {
        "timing": budgets.timing,
        "entrainment": budgets.entrainment,
        "asymmetry": budgets.asymmetry,
        "applied": budgets.applied,
        "net": budgets.net_mult,
        "ratchet": budgets.ratchet,
        **({"turnover": budgets.turned, "stressed": list(budgets.stressed)} if budgets.is_fitted else {}),
    }


def _top(decision: Decision) -> list[Payload]:
    alphas = {(a.source, a.event_id): a for a in decision.alphas}
    rows: list[Payload] = [
        {
            "source": p.source,
            "event_id": p.event_id,
            "lifecycle_id": p.lifecycle_id,
            "coin": f.coin,
            "horizon_s": p.horizon_s,
            "weight": p.weight,
            "mu_bps": p.mu_bps,
            "reliability": alphas[(p.source, p.event_id)].reliability,
            "block": p.block[:2000],
            **_claims(alphas[(p.source, p.event_id)]),
        }
        for f in decision.fused
        for p in f.parts
    ]
    rows.sort(key=lambda r: (-abs(r["weight"] * r["mu_bps"]), r["coin"], r["source"], r["event_id"]))
    return rows[:TOP]


def _claims(alpha: DmAlpha) -> Payload:
    """Return what claims of braids did to a view, nothing where they were not heard."""
    if alpha.claim_slope == 0.0:
        return {}
    return {
        "claims": {
            "claim_bps": alpha.claim_bps,
            "level": alpha.claim_level,
            "slope": alpha.claim_slope,
            "added_bps": alpha.claim_added_bps,
        }
    }


def _solved(allocation: Allocation | None) -> Payload:
    names = ("return_bps", "cost_bps", "risk_bps", "turnover", "kelly_fraction")
    values = (
        (
            allocation.expected_bps,
            allocation.cost_bps,
            allocation.risk_bps,
            allocation.turnover,
            allocation.kelly_fraction,
        )
        if allocation
        else (0.0,) * len(names)
    )
    return {
        "risk_binding": [
            {"name": b.name, "price_bps": b.price_bps} for b in (allocation.bindings if allocation else ())
        ],
        "relaxations": [
            {"step": r.step, "cap": r.cap, "was": r.was, "became": r.became}
            for r in (allocation.relaxations if allocation else ())
        ],
        "expected": dict(zip(names, values, strict=True)),
    }


def _curation(decision: Decision) -> Payload:
    acts = decision.curation
    return {
        "vetoes": [{"coin": v.coin, "curator": v.curator, "reason": v.reason[:400]} for v in acts.vetoes],
        "cuts": [
            {"coin": c.coin, "curator": c.curator, "factor": c.factor, "reason": c.reason[:400]} for c in acts.cuts
        ],
        "nudges": [{"coin": coin, "log": log, "wishes": _wishes(acts, coin)} for coin, log in acts.nudges],
    }


def _wishes(acts: Curation, coin: str) -> list[Payload]:
    return [
        {"act_id": wish.act_id, "author": wish.author, "log": wish.log, "reason": wish.reason[:400]}
        for wish in acts.wishes
        if wish.coin == coin
    ]


def _utc(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"
