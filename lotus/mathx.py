"""Elementary functions for kernels, from + - x / and exact scaling only, so that bits agree on every CPU.

`math.frexp` and `math.ldexp` are exact; everything else here is a fixed polynomial. libm's exp, log, sin and cos
must not be called in kernels: the C library picks CPU-specific versions whose last bit differs.
"""

import math

from lotus.jit import kernel

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_INV_LN2 = 1.44269504088896338700e00
_SQRT_HALF = 0.7071067811865476


@kernel
def exp(x: float) -> float:
    """Return e**x (error below 2 ulp); 0 below -700 and the value at 700 above it."""
    if x != x:
        return x
    if x < -700.0:
        return 0.0
    if x > 700.0:
        x = 700.0
    n = math.floor(x * _INV_LN2 + 0.5)
    r = (x - n * _LN2_HI) - n * _LN2_LO
    p = 1.0
    for k in range(13, 0, -1):
        p = 1.0 + r * p / k
    return math.ldexp(p, int(n))


@kernel
def log(x: float) -> float:
    """Return the natural logarithm (error below 2 ulp away from 1); -inf at 0, NaN below."""
    if not x > 0.0:
        return -math.inf if x == 0.0 else math.nan
    if x == math.inf:
        return x
    m, e = math.frexp(x)
    return log_of_parts(m, float(e))


@kernel
def log_of_parts(mantissa: float, exponent: float) -> float:
    """Return ln(mantissa * 2**exponent) of the parts that `math.frexp` gives of a positive number.

    Without a call or a jump, so that a loop of it can run over several numbers side by side.
    """
    small = mantissa < _SQRT_HALF
    m = mantissa * 2.0 if small else mantissa
    e = exponent - 1.0 if small else exponent
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 0.0
    for k in range(12, -1, -1):
        p = p * z + 1.0 / (2 * k + 1)
    return e * _LN2_HI + (2.0 * s * p + e * _LN2_LO)


@kernel
def logistic(x: float) -> float:
    """Return 1 / (1 + e**-x)."""
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    z = exp(x)
    return z / (1.0 + z)


@kernel
def logit(p: float) -> float:
    """Return ln(p / (1 - p))."""
    return log(p / (1.0 - p))


@kernel
def power(base: float, exponent: float) -> float:
    """Return base**exponent for base >= 0 (0 for base 0)."""
    if base <= 0.0:
        return 0.0
    return exp(exponent * log(base))
