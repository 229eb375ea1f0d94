"""The rolling state of one asset between windows, and the constants the window kernels run on.

Blank at birth and after every gap; nothing in it remembers more than 2 h. What the detectors remember is the state of
their programs (`windows`), not here. (Literature: ring buffers, exponential moving averages.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import ConfigError
from lotus.manifest import Manifest

WINDOW_RING: Final[int] = 121  # 5 min of 2.5 s windows and the one before
TREND_MS: Final[int] = 300_000
FLOW_MS: Final[int] = 60_000
VOL_MIN_MS: Final[int] = 60_000
PHASE_MIN_MS: Final[int] = 120_000
POWER_HALF_LIFE_MS: Final[int] = 300_000  # power of the cycle's two components
FAST_PRICE_MS: Final[int] = 15_000  # band of the dominant cycle: between these two half-lives
SLOW_PRICE_MS: Final[int] = 60_000

PARAMS_DTYPE: Final = np.dtype(
    [
        ("window_ms", "i8"),
        ("frames_per_window", "i8"),
        ("trend_windows", "i8"),
        ("flow_windows", "i8"),
        ("vol_min_windows", "i8"),
        ("phase_min_windows", "i8"),
        ("frames_per_minute", "f8"),
        ("windows_per_minute", "f8"),
        ("power_gain", "f8"),
        ("fast_price_gain", "f8"),
        ("slow_price_gain", "f8"),
    ]
)

STATE_DTYPE: Final = np.dtype(
    [
        ("frame_idx", "i8"),  # of the newest frame
        ("frames", "i8"),  # since birth
        ("windows", "i8"),  # closed since birth
        ("window_at", "i8"),  # newest position of each ring
        ("w_mid2", "i8", (WINDOW_RING,)),
        ("w_sq", "f8", (WINDOW_RING,)),  # sum and number of squared frame returns
        ("w_n", "f8", (WINDOW_RING,)),
        ("w_signed", "f8", (WINDOW_RING,)),  # signed and total taker USD
        ("w_usd", "f8", (WINDOW_RING,)),
        # the open window
        ("count", "i8"),
        ("ran", "i8"),  # frames that the program over frames has seen
        ("quality", "i8"),
        ("high", "i8"),
        ("low", "i8"),
        ("sq", "f8"),
        ("sq_n", "f8"),
        ("signed", "f8"),
        ("usd", "f8"),
        ("imb", "f8"),
        ("imb_n", "f8"),
        ("micro", "f8"),
        ("micro_n", "f8"),
        ("spread", "f8"),
        ("spread_n", "f8"),
        ("ups", "f8"),
        ("downs", "f8"),
        # quadrature filter of the price cycle
        ("price_fast", "f8"),
        ("price_slow", "f8"),
        ("cycle", "f8"),
        ("change", "f8"),
        ("power_cycle", "f8"),
        ("power_change", "f8"),
    ]
)


def new_window_state(n_assets: int) -> NDArray[np.void]:
    """Return blank states, one record per asset: all zeros."""
    return np.zeros(n_assets, STATE_DTYPE)


def window_params(manifest: Manifest) -> NDArray[np.void]:
    """Return the one-element parameter record; raises `ConfigError` for a window that frames do not fill."""
    cadence, window = manifest.kernel.cadence_ms, manifest.kernel.window_ms
    if window % cadence or not 2_500 <= window <= 30_000 or 60_000 % window or not 50 <= cadence <= 1_000:
        raise ConfigError(
            f"window_ms = {window}, cadence_ms = {cadence}",
            "2500-30000 ms that divide a minute, in whole frames",
        )
    params = np.zeros(1, PARAMS_DTYPE)
    params["window_ms"], params["frames_per_window"] = window, window // cadence
    params["trend_windows"], params["flow_windows"] = TREND_MS // window, FLOW_MS // window
    params["vol_min_windows"], params["phase_min_windows"] = VOL_MIN_MS // window, PHASE_MIN_MS // window
    params["frames_per_minute"], params["windows_per_minute"] = 60_000.0 / cadence, 60_000.0 / window
    params["power_gain"] = _gain(window, POWER_HALF_LIFE_MS)
    params["fast_price_gain"] = _gain(window, FAST_PRICE_MS)
    params["slow_price_gain"] = _gain(window, SLOW_PRICE_MS)
    return params


def _gain(window_ms: int, half_life_ms: int) -> float:
    return 1.0 - mathx.exp(-0.6931471805599453 * window_ms / half_life_ms)
