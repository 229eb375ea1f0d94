"""The anomaly expert: how far a frame lies from its own recent past, by robust decayed location and scale.

Huber-type recursive M-estimates of location and of mean absolute deviation per coordinate (a diagonal robust
Mahalanobis distance). A frame is judged before it is learnt from. One kernel; nothing else belongs here.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.experts.fsm import signed_volume
from lotus.experts.state import ANOMALY_DIM
from lotus.jit import kernel
from lotus.microtape import frame_spec as f


@kernel
def anomaly(m: Any, p: Any, row: NDArray[np.float64]) -> tuple[float, float]:
    """Return (z, distance): z = sign * gain * max(0, distance - quiet); (NaN, NaN) without inputs or before warm_s.

    distance = sqrt(mean of min(|x - location| / (scale + floor), cap)^2); the sign is that of the summed deviations of
    ret, micro-drift, imb_1 and signed relative volume.
    """
    x = (row[f.C_RET], row[f.C_MICRO], row[f.C_SPREAD], row[f.C_IMB_1], row[f.C_CANCEL], signed_volume(row))
    for k in range(ANOMALY_DIM):
        if x[k] != x[k]:
            return math.nan, math.nan
    m.n += 1.0
    rate = max(1.0 - p.decay, 1.0 / m.n)
    total, lean = 0.0, 0.0
    for k in range(ANOMALY_DIM):
        scale = m.scale[k] + (p.floor_bps if k < 3 else p.floor_unit)
        d = (x[k] - m.location[k]) / scale
        part = min(max(d, -p.cap), p.cap)
        total += part * part
        if k != 2 and k != 4:
            lean += part
        learnt = min(max(d, -p.clip), p.clip) * scale if m.n > 1.0 else x[k]
        m.location[k] += rate * learnt
        if m.n > 1.0:
            m.scale[k] += rate * (abs(learnt) - m.scale[k])
    if m.n <= p.warm_n:
        return math.nan, math.nan
    distance = math.sqrt(total / ANOMALY_DIM)
    sign = 1.0 if lean > 0.0 else (-1.0 if lean < 0.0 else 0.0)
    return sign * p.gain * max(0.0, distance - p.quiet), distance
