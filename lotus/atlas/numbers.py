"""The numbers of a module and day: resonance, observer effect and entanglement, each with its companions or a reason.

Made from the scored windows of the last `DAYS` learning days up to the day, so that they are known when it ends; a row
of the ledger carries those of the day before (`rows`). Nothing is drawn: the null of the entanglement takes its turns
by rule. A number without enough support is None with a reason; modules without a series of their own have none.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from lotus.atlas.entanglement import Entanglement, entanglement
from lotus.atlas.observer import ObserverEffect, observer_effect
from lotus.atlas.resonance import Resonance, resonance
from lotus.atlas.series import (
    STEP_MS,
    Floats,
    MaturedWindows,
    Times,
    execution_quality,
    paper_quality,
    stepped,
    together,
)
from lotus.hashing import round_learned
from lotus.modules.intents import Module
from lotus.timebase import BLOCK_MS

DAYS = 14
NO_SERIES = "the module has no series of outcomes yet"
NOT_EXECUTED = "windows that were held out are not executed"
Key = tuple[str, str, str]  # branch, day, module


class ModuleNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `module_numbers`, columns in the table's order; a reason is empty where there is a number."""

    branch: str
    day: str
    module: str
    resonance_frequency: float | None = None
    resonance_power: float | None = None
    resonance_false_alarm: float | None = None
    resonance_n: int = 0
    resonance_reason: str = NO_SERIES
    observer_effect_bps: float | None = None
    observer_low_bps: float | None = None
    observer_high_bps: float | None = None
    observer_published: int = 0
    observer_held_out: int = 0
    observer_blocks: int = 0
    observer_reason: str = NO_SERIES
    entangled_with: str | None = None
    entangled_lag: int | None = None
    entangled_bits: float | None = None
    entangled_null95: float | None = None
    entangled_chance: float | None = None
    entangled_n: int = 0
    entangled_reason: str = NO_SERIES


class LedgerNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """What a row of the ledger carries of them; None is too little support."""

    resonance_frequency: float | None = None
    observer_effects: dict[str, Any] | None = None
    entanglement_data: dict[str, Any] | None = None


Known = Mapping[Key, LedgerNumbers]


def numbers_of_day(branch: str, day: str, windows: MaturedWindows) -> list[ModuleNumbers]:
    """Return the numbers of every module, in the order of `Module`; all floats have 9 significant digits.

    `windows` are those of the last `DAYS` learning days, none of them after `day`.
    """
    sig, tr = (stepped(windows, quality(windows)) for quality in (paper_quality, execution_quality))
    bound = entanglement(*together(sig, tr))
    is_measured = np.isfinite(windows.paper)
    acted = observer_effect(
        windows.p[is_measured],
        windows.published[is_measured],
        windows.paper[is_measured],
        windows.end_ms[is_measured] // BLOCK_MS,
    )
    numbers: dict[Module, dict[str, Any]] = {
        Module.SIG: _resonance(sig) | _observer(acted) | _entangled(Module.TR, bound, 1),
        Module.TR: _resonance(tr) | {"observer_reason": NOT_EXECUTED} | _entangled(Module.SIG, bound, -1),
    }
    return [ModuleNumbers(branch=branch, day=day, module=m.value, **numbers.get(m, {})) for m in Module]


def key_of(numbers: ModuleNumbers) -> Key:
    """Return what names a row."""
    return numbers.branch, numbers.day, numbers.module


def for_ledger(n: ModuleNumbers) -> LedgerNumbers:
    """Return what rows of the ledger carry of a row."""
    acted = n.observer_effect_bps is not None
    observer = {
        "effect_bps": n.observer_effect_bps, "low_bps": n.observer_low_bps, "high_bps": n.observer_high_bps,
        "published": n.observer_published, "held_out": n.observer_held_out, "blocks": n.observer_blocks,
    }  # fmt: skip
    entangled = {
        "with": n.entangled_with, "lag": n.entangled_lag, "bits": n.entangled_bits, "null95": n.entangled_null95,
        "chance": n.entangled_chance, "steps": n.entangled_n,
    }  # fmt: skip
    return LedgerNumbers(
        resonance_frequency=n.resonance_frequency,
        observer_effects=observer if acted else None,
        entanglement_data=entangled if n.entangled_bits is not None else None,
    )


def _resonance(series: tuple[Times, Floats]) -> dict[str, Any]:
    result: Resonance = resonance(series[0] * STEP_MS, series[1])
    return {
        "resonance_frequency": _round(result.per_hour), "resonance_power": _round(result.power),
        "resonance_false_alarm": _round(result.false_alarm), "resonance_n": result.support,
        "resonance_reason": result.reason,
    }  # fmt: skip


def _observer(effect: ObserverEffect) -> dict[str, Any]:
    low, high = effect.ci95 or (None, None)
    return {
        "observer_effect_bps": _round(effect.effect), "observer_low_bps": _round(low),
        "observer_high_bps": _round(high),
        "observer_published": effect.published, "observer_held_out": effect.held_out, "observer_blocks": effect.blocks,
        "observer_reason": effect.reason,
    }  # fmt: skip


def _entangled(partner: Module, measure: Entanglement, turn: int) -> dict[str, Any]:
    return {
        "entangled_with": partner.value, "entangled_lag": None if measure.lag is None else turn * measure.lag,
        "entangled_bits": _round(measure.bits), "entangled_null95": _round(measure.null95),
        "entangled_chance": _round(measure.chance), "entangled_n": measure.steps, "entangled_reason": measure.reason,
    }  # fmt: skip


def _round(value: float | None) -> float | None:
    return None if value is None else float(round_learned(np.array([value]))[0])
