"""The annotation table: what every expert says about every frame, and their fusion. Definitions only.

z is a log-likelihood ratio of "the next short move is up" against "down" (its sign is the predicted direction, 0 says
nothing); f = 1 when the expert's pattern stands; conf = 2 logistic(|z|) - 1, the margin that z implies (calibration is
the identity for now). A frame whose inputs are null gives null z and conf and f = 0. The fusion of the literature is
naive Bayes with shrunk weights, micro_llr = sum of w z.
"""

from typing import Final

from lotus.columns import Column, TableSpec
from lotus.experts.spec import EXPERTS

_KEY: Final = (
    Column("asset", "i2", "index", "position in the universe", low=0),
    Column("frame_idx", "i8", "frames", "end_ms // cadence"),
)
_Z: Final = tuple(Column(f"z_{e}", "f8", "nat", f"log-likelihood ratio of up, expert {e}", True) for e in EXPERTS)
_F: Final = tuple(Column(f"f_{e}", "u1", "0/1", f"pattern of {e} stands", low=0, high=1) for e in EXPERTS)
_CONF: Final = tuple(Column(f"conf_{e}", "f8", "1", "2 logistic(|z|) - 1", True, 0, 1) for e in EXPERTS)
_FUSED: Final = (
    Column("micro_llr", "f8", "nat", "sum of weight z over the experts that are not null; null when all are", True),
    Column("mx_evidence", "f8", "1", "logistic(micro_llr): probability of up, 0.5 says nothing", True, 0, 1),
    Column("mx_confirm", "u1", "0/1", "sum of vote f >= votes_needed", low=0, high=1),
)

DSI_ANNOTATIONS: Final = TableSpec("dsi_annotations", ("asset", "frame_idx"), _KEY + _Z + _F + _CONF + _FUSED)

VALUE_NAMES: Final = tuple(c.name for c in _Z + _F + _CONF + _FUSED)
N_VALUES: Final[int] = len(VALUE_NAMES)

# Positions inside a row of values: z of expert k is A_Z + k, f is A_F + k, conf is A_CONF + k.
A_Z: Final[int] = 0
A_F: Final[int] = len(EXPERTS)
A_CONF: Final[int] = 2 * len(EXPERTS)
A_LLR: Final[int] = 3 * len(EXPERTS)
A_EVIDENCE: Final[int] = A_LLR + 1
A_CONFIRM: Final[int] = A_LLR + 2
