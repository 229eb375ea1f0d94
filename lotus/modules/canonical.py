"""Canonical JSON after RFC 8785 (JCS): one text for one value, so that hashes and signatures can be checked anywhere.

Values are those of JSON with integers up to 2**53; numbers are written as ECMAScript does. Nothing is read here.
"""

import math
from json.encoder import encode_basestring

from lotus.errors import MessageError

LARGEST = 2**53


def canonical_json(value: object) -> str:
    """Return the canonical text; raises `MessageError` for what JSON cannot express exactly.

    >>> canonical_json({"b": [1.0, 1e-7, 1e21], "a": "é"})
    '{"a":"é","b":[1,1e-7,1e+21]}'
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > LARGEST and not _is_double(value):
            raise MessageError(f"the integer {value} is in a message", f"at most {LARGEST}, or text")
        return str(value)
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(canonical_json, value))}]"
    raise MessageError(f"a {type(value).__name__} is in a message", "a JSON value")


def _object(value: dict[object, object]) -> str:
    keys = [key for key in value if isinstance(key, str)]
    if len(keys) < len(value):
        odd = next(key for key in value if not isinstance(key, str))
        raise MessageError(f"the key {odd!r} is in a message", "text keys")
    # the order is that of UTF-16 units, which for ASCII is Python's own
    keys.sort(key=None if all(map(str.isascii, keys)) else _utf_16)
    return "{" + ",".join([f"{_text(key)}:{canonical_json(value[key])}" for key in keys]) + "}"


def _utf_16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as problem:
            raise MessageError(f"the text {value!r} is in a message", "valid Unicode") from problem
    return encode_basestring(value)


def _is_double(value: int) -> bool:
    """Tell whether a large integer is the text of a double (as it is after reading canonical JSON back)."""
    return abs(value) < 10**21 and _number(float(value)) == str(value)


def _number(value: float) -> str:
    """Write a double as ECMAScript's Number::toString does (shortest digits that read back)."""
    if not math.isfinite(value):
        raise MessageError(f"the number {value} is in a message", "a finite number")
    if value == 0:
        return "0"
    shortest = float.__repr__(value)
    if "e" not in shortest:  # 1e-4 to 1e16, which both write without an exponent
        return shortest.removesuffix(".0")
    sign = "-" if value < 0 else ""
    mantissa, power = shortest.lstrip("-").split("e")
    digits, point = mantissa.replace(".", ""), int(power) + 1  # value = 0.digits * 10**point
    if 0 < point <= 21:
        return f"{sign}{digits:0<{point}}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
