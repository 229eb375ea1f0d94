"""What several decoder tests share: random venue frames, and the recordings beside the checkout."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from lotus.manifest import Asset

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2), Asset("WLFI", 0))
T0 = 1_757_015_216_253


def recording(name: str) -> bytes:
    """Return the lines of a recording, or skip with the reason."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"real recording {path} is not beside the checkout")
    return gzip.decompress(path.read_bytes())


def compact(channel: str, data: Any) -> bytes:
    """Return a frame as the venue spells it: no spaces, keys in the order given."""
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()


def line(recv_ns: int, frame: bytes) -> bytes:
    """Return one line of tape."""
    return b"%d %b\n" % (recv_ns, frame)


def level(px: float, sz: float | str, n: int = 1) -> dict[str, Any]:
    """Return one level in the venue's key order."""
    return {"px": str(px), "sz": str(sz), "n": n}


class FrameSource:
    """Random frames of one universe, mostly regular, some odd in ways that reach every path of the decoder."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.time_ms = T0

    def lines(self, count: int) -> list[tuple[int, bytes]]:
        """Return (receive stamp, frame) pairs."""
        out = []
        for _ in range(count):
            self.time_ms += self.random.choice([0, 3, 70, 200, 600])
            out.append((self.time_ms * 1_000_000 + 400_000_000 + self.random.randrange(1000), self.frame()))
        return out

    def frame(self) -> bytes:
        kind = self.random.choice(["book", "book", "bbo", "bbo", "trades", "trades", "ctx", "other"])
        frame: bytes = getattr(self, kind)()
        if frame and self.random.random() < 0.15:
            frame = self.spoil(frame)
        return frame

    def spoil(self, frame: bytes) -> bytes:
        """Return the frame with one byte changed, cut, spaced or keys sorted: still a line, rarely a good frame."""
        how = self.random.randrange(5)
        at = self.random.randrange(len(frame))
        if how == 0:
            return frame[:at]
        if how == 1:
            return frame[:at] + bytes([self.random.choice(b'0123456789-.,:"{}[]eN \x00\xff')]) + frame[at + 1 :]
        if how == 2:
            return frame.replace(b":", b": ").replace(b",", b", ")
        if how == 3:
            return frame[:at] + frame[at + 1 :]
        try:
            return json.dumps(json.loads(frame), sort_keys=True, separators=(",", ":")).encode()
        except ValueError:
            return frame

    def coin(self) -> str:
        return self.random.choice(["BTC", "BTC", "ETH", "SOL", "WLFI", "XRP"])

    def size(self) -> str:
        r = self.random
        return r.choice(
            [f"{r.uniform(0, 50):.{r.randrange(1, 8)}f}", "3495670.8399999999", str(r.randrange(9999)), "1e-05", "0.0"]
        )

    def levels(self, start: float, step: float, count: int) -> list[dict[str, Any]]:
        return [level(round(start + step * k, 2), self.size(), self.random.randrange(1, 99)) for k in range(count)]

    def book(self) -> bytes:
        r, mid = self.random, float(self.random.randrange(100, 200_000))
        gap = -1.0 if r.random() < 0.05 else 1.0
        data: dict[str, Any] = {"coin": self.coin(), "time": self.stamp()}
        data["levels"] = [self.levels(mid - gap, -1.0, r.randrange(21)), self.levels(mid + gap, 1.0, r.randrange(22))]
        if r.random() < 0.3:
            data["fast"] = True
        return compact("l2Book", data)

    def bbo(self) -> bytes:
        mid = self.random.randrange(100, 200_000)
        sides = [level(mid, self.size(), 3), level(mid + self.random.choice([0, 1, 1, 1, 1, 2]), self.size())]
        sides = [None if self.random.random() < 0.1 else side for side in sides]
        return compact("bbo", {"coin": self.coin(), "time": self.stamp(), "bbo": sides})

    def trades(self) -> bytes:
        r, coin = self.random, self.coin()
        prints = [
            {
                "coin": coin if r.random() > 0.01 else "SOL",
                "side": r.choice("ABABABABABABABABABABABX" if r.random() < 0.05 else "AB"),
                "px": f"{r.randrange(1, 150_000)}.{r.choice([0, 0, 0, 1])}",
                "sz": self.size(),
                "time": self.stamp(),
                "hash": "0x" + "0" * 64,
                "tid": r.randrange(2**5) if r.random() < 0.3 else r.randrange(2**50),
                "users": ["0x" + "a" * 40, "0x" + "b" * 40],
            }
            for _ in range(r.choice([1, 1, 2, 5, 30]))
        ]
        return compact("trades", prints)

    def ctx(self) -> bytes:
        r, empty = self.random, self.random.random() < 0.2
        ctx = {
            "funding": f"{r.uniform(-1e-4, 1e-4):.10f}",
            "openInterest": f"{r.uniform(0, 1e6):.5f}",
            "prevDayPx": "77759.0",
            "dayNtlVlm": "4490636699.3287734985",
            "premium": None if empty else f"{r.uniform(-1e-3, 1e-3):.10f}",
            "oraclePx": f"{r.uniform(1, 1e5):.3f}",
            "markPx": f"{r.uniform(1, 1e5):.1f}",
            "midPx": None if empty else f"{r.uniform(1, 1e5):.2f}",
            "impactPxs": None if empty else ["80637.2", "80640.0"],
            "dayBaseVlm": "56265.69068",
        }
        return compact("activeAssetCtx", {"coin": self.coin(), "ctx": ctx})

    def other(self) -> bytes:
        candle = {"t": 1, "T": 2, "s": "BTC", "i": "1m", "o": "1", "c": "1", "h": "1", "l": "1", "v": "2", "n": 6}
        return self.random.choice(
            [
                b'{"channel":"pong"}',
                b"Websocket connection established.",
                compact("allMids", {"mids": {"BTC": "1.0"}}),
                compact("candle", candle),
                compact("error", "Already subscribed"),
                compact("noSuchChannel", [1, 2]),
                compact("lotus.control", {"window": 3}),
                b"",
            ]
        )

    def stamp(self) -> int:
        r = self.random
        return self.time_ms - (r.randrange(500_000) if r.random() < 0.05 else r.choice([0, 0, 0, 70, 400]))
