"""Canonical JSON after RFC 8785 (JCS): one text for one value, so that hashes and signatures can be checked anywhere.

Values are those of JSON with integers up to 2**53; numbers are written as ECMAScript does. Nothing is read here.
"""

import json
import math

from lotus.errors import MessageError

LARGEST = 2**53


def canonical_json(value: object) -> str:
    """Return the canonical text; raises `MessageError` for what JSON cannot say exactly.

    >>> canonical_json({"b": [1.0, 1e-7, 1e21], "a": "é"})
    '{"a":"é","b":[1,1e-7,1e+21]}'
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        if abs(value) > LARGEST and not _is_double(value):
            raise MessageError(f"the integer {value} is in a message", f"at most {LARGEST}, or text")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(canonical_json(item) for item in value)}]"
    if isinstance(value, dict):
        return _object(value)
    raise MessageError(f"a {type(value).__name__} is in a message", "a JSON value")


def _object(value: dict[object, object]) -> str:
    for key in value:
        if not isinstance(key, str):
            raise MessageError(f"the key {key!r} is in a message", "text keys")
    ordered = sorted(value.items(), key=lambda item: str(item[0]).encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{_text(str(key))}:{canonical_json(item)}" for key, item in ordered) + "}"


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as problem:
        raise MessageError(f"the text {value!r} is in a message", "valid Unicode") from problem
    return json.dumps(value, ensure_ascii=False)


def _is_double(value: int) -> bool:
    """Tell whether a large integer is the text of a double (as it is after reading canonical JSON back)."""
    return abs(value) < 10**21 and _number(float(value)) == str(value)


def _number(value: float) -> str:
    """Write a double as ECMAScript's Number::toString does (shortest digits that read back)."""
    if not math.isfinite(value):
        raise MessageError(f"the number {value} is in a message", "a finite number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, exponent = f"{abs(value)!r}".lower(), 0
    if "e" in mantissa:
        mantissa, power = mantissa.split("e")
        exponent = int(power)
    whole, _, part = mantissa.partition(".")
    part = part if part != "0" else ""
    digits = (whole + part).lstrip("0")
    point = len(whole) + exponent - (len(whole + part) - len(digits))  # value = 0.digits * 10**point
    digits = digits.rstrip("0")
    n = len(digits)
    if n <= point <= 21:
        return f"{sign}{digits}{'0' * (point - n)}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if n > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
