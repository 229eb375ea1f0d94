"""Records of the experts: parameters (one for all assets) and state (one per asset). No formulas here."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

N_EXPERTS: Final[int] = 5
ANOMALY_DIM: Final[int] = 6

FSM_PARAMS: Final = np.dtype([("table", "i8", (3, 5)), ("limit", "i8", (3,)), ("llr", "f8", (3,))])

PARAMS_DTYPE: Final = np.dtype(
    [
        ("weight", "f8", (N_EXPERTS,)),
        ("vote", "f8", (N_EXPERTS,)),
        ("votes_needed", "f8"),
        (
            "sweep_stall",
            [("fsm", FSM_PARAMS)] + [(name, "f8") for name in ("extend_bps", "stall_bps", "stall_n", "imb_min")],
        ),
        (
            "absorption",
            [("fsm", FSM_PARAMS)]
            + [(name, "f8") for name in ("decay", "flow_min", "stand_bps", "break_bps", "hold_n")],
        ),
        ("depth_vacuum", [("fsm", FSM_PARAMS)] + [(name, "f8") for name in ("imb_min", "cancel_min", "touch_min")]),
        (
            "anomaly",
            [
                (name, "f8")
                for name in ("decay", "warm_n", "clip", "cap", "quiet", "fire", "gain", "floor_bps", "floor_unit")
            ],
        ),
        (
            "rsi_divergence",
            [("fsm", FSM_PARAMS)]
            + [
                (name, "f8")
                for name in (
                    "decay",
                    "gap_n",
                    "memory_n",
                    "weaker_rsi",
                    "full_rsi",
                    "imb_min",
                    "flow_min",
                    "break_bps",
                )
            ],
        ),
    ]
)

FSM_STATE: Final = np.dtype(
    [
        ("node", "i8"),
        ("age", "i8"),  # frames in the node
        ("dir", "f8"),  # direction of what armed it
        ("strength", "f8"),  # in [0, 1]
        ("ref", "f8"),  # mid when armed
        ("flow", "f8"),  # decayed signed relative volume
        ("move", "f8"),  # decayed sum of returns
    ]
)

STATE_DTYPE: Final = np.dtype(
    [
        ("last_frame", "i8"),
        ("sweep_stall", FSM_STATE),
        ("absorption", FSM_STATE),
        ("depth_vacuum", FSM_STATE),
        ("rsi_divergence", FSM_STATE),
        ("anomaly", [("n", "f8"), ("location", "f8", (ANOMALY_DIM,)), ("scale", "f8", (ANOMALY_DIM,))]),
        (
            "swings",
            [
                ("gain", "f8"),
                ("loss", "f8"),
                ("price", "f8", (2,)),  # last extreme above and below
                ("rsi", "f8", (2,)),
                ("age", "f8", (2,)),
            ],
        ),
    ]
)


def new_state(n_assets: int) -> NDArray[np.void]:
    """Return one blank record per asset."""
    state = np.zeros(n_assets, STATE_DTYPE)
    state["last_frame"] = -1
    state["swings"]["price"] = np.nan
    return state
