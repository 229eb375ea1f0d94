"""Which columns of a frame a detector reads, from its compiled expressions; evidence of the experts is left out."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.row_spec import T_FRAME, T_VALUES, WINDOW_UNITS
from lotus.microtape.frames.spec import FLOAT_NAMES
from lotus.tape_machine.complexity import topological

_MADE_OF: Final[Mapping[str, tuple[str, ...]]] = {  # columns of a window that are made of frames
    "vol": ("ret_bps",), "rv": ("rv_bps",), "depth_slope": ("depth_slope",), "imbalance": ("imb_5",), "oi": ("oi",),
    "funding": ("funding_bps_h",), "basis": ("basis_bps",), "spread": ("spread_bps",), "spread_close": ("spread_bps",),
    "flow": ("aggr_imb",), "trend": ("ret_bps",), "phase_cos": ("mid",), "phase_sin": ("mid",), "high": ("mid",),
    "low": ("mid",), "micro": ("micro_drift_bps",), "signed_usd": ("aggr_imb",), "traded_usd": ("volume_usd",),
    "sweeps_up": ("sweep",), "sweeps_down": ("sweep",),
}  # fmt: skip
_WINDOW_NAMES: Final = tuple(WINDOW_UNITS)


@lru_cache(maxsize=256)
def columns_read(spec: DetectorSpec, cadence_ms: int, window_ms: int) -> frozenset[str]:
    """Return the names of the frame columns that decide a detector's signal."""
    checked, names = spec.checked(cadence_ms, window_ms), set[str]()
    for node in topological(*checked.values.values()):
        if node.op == "column":
            names.add(FLOAT_NAMES[int(node.params[0])])
    for node in topological(checked.signal):
        index = int(node.params[0]) if node.op == "column" else T_VALUES
        if index < T_FRAME:
            names.update(_MADE_OF.get(_WINDOW_NAMES[index], ()))
        elif index < T_VALUES:
            names.add(FLOAT_NAMES[index - T_FRAME])
    return frozenset(names)
