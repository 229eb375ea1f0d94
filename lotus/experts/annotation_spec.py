"""The annotation tables: the fusion and the fired patterns of every frame; z and conf of every expert per window.

z is a log-likelihood ratio of "the next short move is up" against "down" (its sign is the predicted direction, 0 says
nothing); f = 1 when the expert's pattern stands; conf is 2 P(right | |z|) - 1 (see `confidence`). A frame whose
inputs are null gives null z and conf and f = 0. A window's row is that of the frame that closes it. Definitions only.
"""

from collections.abc import Sequence
from typing import Final

from lotus.columns import Column, TableSpec
from lotus.experts.fusion import shipped_fusion
from lotus.manifest import Manifest

EXPERTS: Final = tuple(shipped_fusion().voices)
WINDOW_MS: Final[int] = Manifest().kernel.window_ms

_KEY: Final = (
    Column("asset", "i2", "index", "position in the universe", low=0),
    Column("frame_idx", "i8", "frames", "end_ms // cadence", low=0),
)
_FUSED: Final = (
    Column("micro_llr", "f8", "nat", "sum of weight z over the experts that are not null; null when all are", True),
    Column("mx_evidence", "f8", "1", "calibrated probability of up, from logistic(micro_llr)", True, 0, 1),
    Column("mx_confirm", "u1", "0/1", "sum of vote f >= votes_needed", low=0, high=1),
    Column("fired", "u8", "bits", "bit k: the pattern of expert k stands, in the order of the fusion", low=0),
)

DSI_ANNOTATIONS: Final = TableSpec("dsi_annotations", ("asset", "frame_idx"), _KEY + _FUSED)


def windows_spec(experts: Sequence[str]) -> TableSpec:
    """Return the table of z and conf at the frames that close a window, for these experts."""
    z = tuple(Column(f"z_{e}", "f8", "nat", f"log-likelihood ratio of up, expert {e}", True) for e in experts)
    conf = tuple(Column(f"conf_{e}", "f8", "1", f"calibrated 2 P(right) - 1 of |z_{e}|", True, 0, 1) for e in experts)
    return TableSpec("dsi_windows", ("asset", "frame_idx"), _KEY + z + conf)


DSI_WINDOWS: Final = windows_spec(EXPERTS)

# Positions inside a row of values, which are also the program's first outputs; z of expert k is A_Z + k of a live row.
A_LLR, A_EVIDENCE, A_CONFIRM, A_FIRED, A_Z = range(5)
N_VALUES: Final[int] = A_Z  # values of a frame that are kept
VALUE_NAMES: Final = tuple(c.name for c in _FUSED)
