"""Lines and folders of recordings made by hand."""

import json

T0 = 1_757_015_216_000


def _lines(count: int = 50, coin: str = "BTC") -> bytes:
    text = b""
    for k in range(count):
        bbo = [{"px": "100.0", "sz": "1.0", "n": 1}, {"px": "101.0", "sz": "2.0", "n": 1}]
        data = {"coin": coin, "time": T0 + 500 * k, "bbo": bbo}
        frame = json.dumps({"channel": "bbo", "data": data}, separators=(",", ":"))
        text += f"{(T0 + 500 * k + 300) * 1_000_000} {frame}\n".encode()
    return text
