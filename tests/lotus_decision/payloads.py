"""Payloads as the alpha detector and people send them, valid; tests break them."""

import math
from typing import Any

from lotus.modules.signals import Gate, SignalFacts, sigbus_payload

NOW_MS = 1_757_000_005_000
ASOF = "2025-09-04T15:33:25.000Z"
_ROW = (
    "pi", "u0", "u", "draw", "tau_pub", "temperature", "ln_sigma_0", "sq_score", "kr_hbar", "kr_coherence", "kr_phi",
    "kr_theta", "kr_rho", "kr_emergence", "kr_novelty", "kr_delta_phi", "phi_mult", "crowd_share", "theta1", "theta2",
    "kairos", "entrain", "uncert", "mx_confirm", "mx_evidence", "det_sigma",
)  # fmt: skip
_PROVENANCE: dict[str, Any] = {
    "window": {"start_ms": NOW_MS - 5000, "end_ms": NOW_MS},
    "close_recv_ns": "1757000005000000000",
    "close_seq": 17,
    "recipe_hash": "0" * 32,
    "experts_ver": "1" * 32,
    "data_fingerprint": "2" * 32,
}


def _identity(schema: str, **members: Any) -> dict[str, Any]:
    return {
        "schema_ver": schema,
        "event_id": "ab" * 16,
        "branch": "main",
        "detector_id": "imbalance",
        "spec_version": 2,
        "asset": "BTC",
        "asof_ts": ASOF,
        "provenance": _PROVENANCE,
        "card_ref": "detector_cards/imbalance@2",
    } | members


def det_alpha(**members: Any) -> dict[str, Any]:
    """A valid det-alpha-1.0 payload with members replaced."""
    made = _identity("det-alpha-1.0") | {
        "signal": -0.5, "direction": -1, "strength": 0.5, "horizon_s": 300, "band_s": [30.0, 600.0],
        "det_sigma": 0.5, "curated_sigma": 0.6, "pi": 0.13, "context": "021-4303--12", "priors_ver": "3" * 32,
        "suggested_triggers": ["touch(level=prev_high)"],
    }  # fmt: skip
    return made | members


def sigbus(published: bool = True) -> dict[str, Any]:
    """The valid whole record of the same window, from its builder."""
    row = dict.fromkeys(_ROW, 0.5) | {
        "event_id": "ab" * 16, "branch": "main", "detector_id": "imbalance", "spec_version": 2, "asset": "BTC",
        "window_start_ms": NOW_MS - 5000, "window_end_ms": NOW_MS, "close_recv_ns": 1757000005000000000,
        "close_seq": 17, "s": -0.5, "horizon_s": 300, "ln_sigma_tilde": math.log(0.6), "eligible": True,
        "mx_confirm": 1.0, "gate": 0.0,
        "published": published, "cond_key": 5, "priors_ver": "3" * 32, "tables_ver": "4" * 32,
    }  # fmt: skip
    gates = {
        "det_kairos": Gate("kairos", 0.2, "at_least", True), "det_entrain_r": Gate("entrain", 0.1, "at_least", True),
        "det_uncert": Gate("uncert", 0.6, "at_most", True), "mx_evidence": Gate("mx_evidence", None, "known", True),
    }  # fmt: skip
    facts = SignalFacts(
        band_s=(30.0, 600.0), recipe_hash="0" * 32, experts_ver="1" * 32, data_fingerprint="2" * 32,
        card_ref="detector_cards/imbalance@2", vetoes=(), gates=gates, braids_fired=(),
    )  # fmt: skip
    return sigbus_payload(row, facts)


def cues(**members: Any) -> dict[str, Any]:
    """A valid ms-1.0 payload with members replaced."""
    sizes = dict.fromkeys(("Z_OI", "Z_F", "Z_B", "Z_D", "Z_W", "Z_C", "Z_U"), 0.0)
    made = _identity("ms-1.0") | {
        "ms_kairos": 0.7, "ms_entrain_r": None, "ms_uncert": 0.1, "ms_hbar": 0.4, "ms_asym_score": 0.6,
        "ms_asym_components": sizes | {"Z_OI": 2.5}, "ms_asym_absent": ["Z_C", "Z_U"],
    }  # fmt: skip
    return made | members


def hint(**members: Any) -> dict[str, Any]:
    """A valid alpha-hint-1.0 payload with members replaced."""
    return {
        "schema_ver": "alpha-hint-1.0", "event_id": "h1", "branch": "main", "kind": "human", "author": "ada",
        "asset": "ETH", "asof_ts": ASOF, "direction": 1, "conviction": 0.4, "horizon_s": 3600,
        "suggested_triggers": [],
    } | members  # fmt: skip
