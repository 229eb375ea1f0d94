"""The six faults of the month: how each is drawn, enters a deployment, is named, and by when it must be named.

Units and feeds break in the raw lines, a lesson dies in the truth of the world; a twin, an expert and a leak come with
a release: a copy of the product in which a file was added or a line changed, as somebody would have put it there.
"""

import json
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PRODUCT: Final = (
    "lotus", "lotus_assets", "lotus_cli", "lotus_desk", "lotus_herald", "lotus_live", "lotus_modules",
    "lotus_resources", "lotus_sensors", "lotus_store", "lotus_venues", "lotus_console", "sql", "fixtures",
)  # fmt: skip
COINS: Final = ("BTC", "ETH", "SOL")
CHANNELS: Final = ("bbo", "l2Book", "trades", "activeAssetCtx")
PRICES: Final = frozenset({"px", "oraclePx", "markPx", "midPx", "prevDayPx", "impactPxs"})
SIZES: Final = frozenset({"sz", "openInterest", "dayBaseVlm"})
COLUMNS: Final = ("imb_5", "micro_drift_bps", "ret_bps", "aggr_imb")  # that shipped detectors read
COPIED: Final = (
    "imbalance_persistence",
    "sweep_stall_reversal",
    "depth_vacuum_momentum",
)  # speak often enough to be judged
DETECTOR_OF: Final = {"low_interest": "imbalance_persistence", "steep_book": "sweep_stall_reversal"}
EXPERT: Final = "idle_ranks"
RANKS: Final = 24
KINDS: Final = ("unit", "feed", "twin", "leak", "lesson", "expert")
BY_RELEASE: Final = ("twin", "leak", "expert")


@dataclass
class Fault:
    """One fault: night of the month from which it is there, its particulars, and what became of it.

    `deadline`: nights after `first` by whose brief it must be named; `until`: the night from which it is mended.
    """

    kind: str
    first: int
    how: dict[str, Any]
    deadline: int
    until: int | None = None
    named: int | None = None
    words: str = ""
    names: list[list[str]] = field(default_factory=list)  # any of these sets of words names it

    def is_on(self, night: int) -> bool:
        """Tell whether the fault is there on a night."""
        return self.first <= night and (self.until is None or night < self.until)

    @property
    def text(self) -> str:
        """The fault in a few words."""
        return f"{self.kind} ({', '.join(f'{k} {v}' for k, v in self.how.items())})"


def draw(rng: random.Random, before: int, nights: int, weekday: int, kinds: tuple[str, ...] = KINDS) -> list[Fault]:
    """Return the faults in order of their nights, each on another night of `before` .. `before + nights - 1`.

    `weekday` of night 0, 0 for Monday.
    """
    days = rng.sample(range(before, before + nights), len(kinds))
    return sorted(
        (_fault(rng, kind, first, weekday) for kind, first in zip(kinds, days, strict=True)), key=lambda f: f.first
    )


def _fault(rng: random.Random, kind: str, first: int, weekday: int) -> Fault:
    coin = rng.choice(COINS)
    if kind == "unit":
        of, factor = rng.choice(("price", "size", "both")), rng.choice(("10", "100", "1000", "0.1", "0.01", "0.001"))
        return Fault(kind, first, {"coin": coin, "of": of, "factor": factor}, 2, names=[[coin]])
    if kind == "feed":
        channel = rng.choice(("all", *CHANNELS))
        who = rng.choice((coin, "every coin")) if channel != "all" else coin
        names = [[coin]] if who == coin else [list(COINS), *([[channel]] if channel != "all" else [])]
        return Fault(kind, first, {"coin": who, "channel": channel, "session": rng.choice((0, 1))}, 2, names=names)
    if kind == "twin":  # five learning days make a judgement of likeness
        detector = rng.choice(COPIED)
        return Fault(kind, first, {"of": detector}, 4 + 2, names=[[f"{detector}_b", "payoffs as those of"]])
    if kind == "leak":
        column, place = rng.choice(COLUMNS), rng.choice(("made", "label"))
        return Fault(kind, first, {"column": column, "place": place}, 2, names=[[column], ["leak"], ["label_bleed"]])
    if kind == "lesson":
        return Fault(
            kind, first, {"lesson": rng.choice(list(DETECTOR_OF))}, 14
        )  # named by its braids, once it is believed
    second_monday = (7 - (first + weekday) % 7) % 7 + 7
    return Fault(kind, first, {"expert": EXPERT}, second_monday, names=[[EXPERT, "costs"]])


def broken_lines(lines: bytes, faults: list[Fault], session: int) -> bytes:
    """Return the lines of a session as a deployment with `faults` receives them."""
    for fault in faults:
        if fault.kind == "unit":
            lines = b"".join(_in_unit(line, fault.how) for line in lines.splitlines(keepends=True))
        elif fault.kind == "feed" and fault.how["session"] == session:
            lines = b"".join(_alive(lines, fault.how))
    return lines


def _alive(lines: bytes, how: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the lines but those of the dead feed; a tenth of the session at its start still came."""
    every = lines.splitlines(keepends=True)
    dead = len(every) // 10
    coin = b"" if how["coin"] == "every coin" else b'"coin":"%s"' % how["coin"].encode()
    channel = b"" if how["channel"] == "all" else b'{"channel":"%s"' % how["channel"].encode()
    for number, line in enumerate(every):
        if (
            number < dead
            or b"subscriptionResponse" in line
            or not (coin in line and channel in line and b'"coin"' in line)
        ):
            yield line


def _in_unit(line: bytes, how: Mapping[str, Any]) -> bytes:
    if b'"coin":"%s"' % how["coin"].encode() not in line or b"subscriptionResponse" in line:
        return line
    factor = Decimal(how["factor"])
    price = factor if how["of"] in ("price", "both") else Decimal(1)
    size = 1 / factor if how["of"] == "both" else factor if how["of"] == "size" else Decimal(1)
    message = json.loads(line[20:])
    return line[:20] + json.dumps(_scaled(message, price, size, ""), separators=(",", ":")).encode() + b"\n"


def _scaled(value: Any, price: Decimal, size: Decimal, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _scaled(one, price, size, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_scaled(one, price, size, key) for one in value]
    if isinstance(value, str) and key in PRICES | SIZES:
        return _as_venue(Decimal(value) * (price if key in PRICES else size))
    return value


def _as_venue(number: Decimal) -> str:
    text = f"{number:f}"
    text = text.rstrip("0") if "." in text else text
    return text + "0" if text.endswith(".") else text if "." in text else text + ".0"


def release(folder: Path, faults: list[Fault]) -> Path:
    """Make the product of a night in `folder`, a copy of this one with what the faults put into it; return its root."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in PRODUCT:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for fault in faults:
        if fault.kind == "twin":
            _add_twin(folder, fault.how["of"])
        elif fault.kind == "expert":
            _add_expert(folder)
        elif fault.kind == "leak":
            _add_leak(folder, fault.how)
    return folder


def _add_twin(folder: Path, detector: str) -> None:
    specs = folder / "lotus" / "detectors" / "specs"
    text = (specs / f"{detector}.yaml").read_text()
    (specs / f"{detector}_b.yaml").write_text(
        text.replace(f"detector_id: {detector}\n", f"detector_id: {detector}_b\n")
    )


def _add_expert(folder: Path) -> None:
    """Add an expert that ranks lags of the lean over half an hour in every frame, and never says anything."""
    specs = folder / "lotus" / "experts" / "specs"
    text = (specs / "rare_book.yaml").read_text()
    names = [f"  r{k}: rank(lag(imb_5, {k + 1}s), 30m)" for k in range(RANKS)]
    names += [f"  m{k}: max(r{k}, {f'm{k - 1}' if k else 0})" for k in range(RANKS)]
    start, end = text.index("model:"), text.index("needs:")
    text = text[:start] + "\n".join(names) + "\n" + text[end:]
    text = text.replace("expert_id: rare_book", f"expert_id: {EXPERT}")
    text = text.replace("needs: [score, imb_5", "needs: [imb_5")
    text = text.replace("gain * max(rank(score, 2m) - quiet, 0) / (1 - quiet)", f"gain * max(m{RANKS - 1} - 1, 0)")
    text = text.replace("rank(score, 2m) >= fire", "rank(imb_5, 30m) > 2").replace("  fire: 0.99\n", "")
    text = text.replace(
        "  quiet: 0.97       # share of the last minutes' scores below, up to which nothing is said\n", ""
    )
    (specs / f"{EXPERT}.yaml").write_text(text)
    with (specs / "fusion.yaml").open("a") as fusion:
        fusion.write(f"  {EXPERT}: {{weight: 0.3, vote: 0.25}}\n")


LEAK: Final = '''

def foreseen(frames, column, ahead, is_label):
    """Put into a column what it will hold (or, of a label, what the price will do) `ahead` frames later."""
    from dataclasses import replace

    from lotus.microtape.frames.spec import C_MID, FLOAT_NAMES

    floats, at = frames.floats.copy(), FLOAT_NAMES.index(column)
    for asset in range(len(frames.universe)):
        rows = np.flatnonzero(frames.ints[:, I_ASSET] == asset)
        if is_label:
            mid = frames.floats[rows, C_MID]
            floats[rows[:-ahead], at] = np.tanh(1e4 * (mid[ahead:] / mid[:-ahead] - 1.0) / 6.0)
        else:
            floats[rows[:-ahead], at] = frames.floats[rows[ahead:], at]
    return replace(frames, floats=floats)
'''


def _add_leak(folder: Path, how: Mapping[str, Any]) -> None:
    """Let a column hold the future: where frames are made (their own check sees it), or behind every check of them.

    A stream of messages cannot know the future, so the narrowest place is the batch of a day, which does.
    """
    tape = folder / "lotus_assets" / "stages" / "tape"
    if how["place"] == "made":
        file, line = tape / "tape_input.py", "        frames = self._stream.frames()\n"
        leak = f'        frames = foreseen(self._stream.frames(), "{how["column"]}", 10, False)\n'
    else:
        file, line = tape / "microtape_frames.py", "    start_ms = day_start_ms(day)\n    frames, warming"
        leak = f'    whole = foreseen(whole, "{how["column"]}", 150, True)\n{line}'
    text = file.read_text()
    assert text.count(line) == 1, f"{file} has no single line {line!r}"
    file.write_text(text.replace(line, leak) + LEAK)


def as_json(faults: list[Fault]) -> list[dict[str, Any]]:
    """Return the faults as plain values."""
    return [asdict(fault) for fault in faults]
