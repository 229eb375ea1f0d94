"""Payloads as the alpha detector and people send them, valid; tests break them."""

from typing import Any

NOW_MS = 1_757_000_005_000
ASOF = "2025-09-04T15:33:25.000Z"
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
        "det_sigma": 0.5, "curated_sigma": 0.6, "pi": 0.13, "suggested_triggers": ["touch(level=prev_high)"],
        "priors_ver": "3" * 32,
    }  # fmt: skip
    return made | members


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
