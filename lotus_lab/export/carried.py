"""Lessons carried away from Lotus: what the rules in force say of one window, in plain Python of the standard library.

A part of the code of Lotus (`lotus_lab/export/carried.py`), copied as it stands into every exported module; so it may
import nothing else. It does what the daemon does (`lotus.priors.compiled`), in the same order of operations. It checks
its source, the hash of its data and its test vector when it is loaded, and refuses to advise once its time is over.
A module in a file looks for a newer export in its place once a minute: of that it takes the data, not the code.
"""

import ast
import functools
import hashlib
import json
import logging
import math
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1
NULL_BIN = 255
MAX_GATE = 2.0
LOOK_S = 60.0  # between two looks for a newer export
OLDEST_S = 60.0  # of a window that is advised on
_NEAR = 1e-9


class StaleLessons(Exception):
    """The time of these lessons is over, or they are not as they were exported: they refuse to advise."""


class Advice(NamedTuple):
    """What is added to the logit of the chance to act, of which `gate`; which braids and lessons hold; their claim."""

    tilt: float
    gate: float
    theta: float
    phi: float
    braids: tuple[str, ...]
    lessons: tuple[str, ...]
    claim_bps: float


class CarriedLessons:
    """The lessons of one export; `data` is its JSON object, `file` where its module lies."""

    def __init__(self, data: Mapping[str, Any], file: str | None = None) -> None:
        """Check version, hash and test vector; raises `StaleLessons` when one is wrong."""
        self._file, self._found, self._looked = file, _stamp(file), time.monotonic()
        if data.get("format") != FORMAT:
            raise StaleLessons(f"format {data.get('format')}; expected: {FORMAT}; likely cause: of another release")
        if data.get("hash") != hash_of(data):
            raise StaleLessons(
                f"hash {hash_of(data)}; expected: {data.get('hash')}; likely cause: edited, or cut short"
            )
        self.data = data
        self.features: list[dict[str, Any]] = data["features"]
        self.needed = {name: self._features_of(own["braids"]) for name, own in data["detectors"].items()}
        for row in data["vector"]:
            got = self.of_bins(row["detector"], row["bins"], row["now_ms"], row["theta1"], row["group"])
            wanted = row["advice"]
            same = all(abs(a - b) <= _NEAR for a, b in zip((*got[:4], got[6]), wanted[:5], strict=True))
            if not same or list(got.braids) != wanted[5]:
                raise StaleLessons(f"{got} on its test vector; expected: {wanted}; likely cause: another arithmetic")

    def refusal(self, now_ms: int) -> str:
        """Return why nothing is advised at a time (ms since 1970), empty when something is."""
        begin, end = self.data["from_ms"], self.data["until_ms"]
        if now_ms < begin:
            return f"in force from {begin} ms on, and it is {now_ms}; likely cause: a clock that is wrong"
        if now_ms >= end:
            return f"valid until {end} ms, and it is {now_ms}; export the lessons again: {self.data['why_until']}"
        return ""

    def advise(
        self,
        detector: str,
        asset: str,
        values: Mapping[str, Any],
        now_ms: int,
        *,
        side: int = 0,
        theta1: float | None = None,
    ) -> Advice:
        """Return the advice for features in their own units; `side` 1 long, -1 short, 0 neither.

        Only features that the detector's rules speak of (`needed`) have to be there. Those of an asset without history
        have no bins: no rule about them holds. `theta1` is the context penalty that the detector has, if it is known.
        Raises `StaleLessons` when the time of the lessons is over, `KeyError` for an unknown detector or a feature that
        is missing.
        """
        self.renew()
        if detector not in self.needed:
            raise KeyError(f"detector {detector!r}; expected: {', '.join(self.needed)}; likely cause: misspelled")
        if missing := [name for name in self.needed[detector] if name not in values]:
            raise KeyError(f"no {', '.join(missing)}; expected: {', '.join(self.needed[detector])}")
        bins = self.bins(asset, values, side)
        return self.of_bins(detector, bins, now_ms, theta1, self.data["groups"].get(asset, NULL_BIN))

    def bins(self, asset: str, values: Mapping[str, Any], side: int = 0) -> list[int]:
        """Return the bin of every feature; 255: null or absent, a text that nobody knew, an asset without history."""
        edges = self.data["edges"].get(asset, {})
        return [
            self._bin(feature, edges.get(feature["name"]), values.get(feature["name"]), side)
            for feature in self.features
        ]

    def asset_of(self, names: Sequence[str]) -> str:
        """Return the first of several names of an asset that has edges of bins, else the last one."""
        return next((name for name in names if name in self.data["edges"]), names[-1])

    def of_bins(
        self, detector: str, bins: Sequence[int], now_ms: int, theta1: float | None = None, group: int = NULL_BIN
    ) -> Advice:
        """Return the advice for bins as `bins` makes them; raises as `advise` does."""
        refusal = self.refusal(now_ms)
        if refusal:
            raise StaleLessons(refusal)
        own = self.data["detectors"][detector]
        theta = own["theta1"] if theta1 is None else theta1
        fired = self._fired(own["braids"], (*bins, group), now_ms)
        replaced = {parent for b in fired.values() if b["type"] == "meta" for parent in b["parents"]}
        acting = [b for name, b in fired.items() if name not in replaced and b["type"] != "field"]
        theta2, phi = self._patched(acting, fired, theta)
        tilt, gate = self._tilt(own["temperature"], acting, fired, (theta, theta2, phi))
        micro = [b for b in fired.values() if b["type"] == "micro"]
        claim = sum((b["claim_bps"] for b in micro if b["claim_bps"] is not None), 0.0)
        return Advice(tilt + gate, gate, theta2, phi, tuple(fired), tuple(b["lesson"] for b in micro), claim)

    def of_window(self, window: Mapping[str, Any], now_ms: int) -> Advice:
        """Return the advice for a window that the daemon has scored, as `HomeWindows` reads it from the home's pages.

        Raises `StaleLessons` for a window that ended more than a minute ago or is not over, and as `advise` does.
        """
        self.renew()
        age_ms = now_ms - window["window_end_ms"]
        if not 0 <= age_ms <= 1000 * OLDEST_S:
            found = f"a window that ended {age_ms / 1000:.0f} s ago"
            raise StaleLessons(f"{found}; expected: at most {OLDEST_S:.0f}; likely cause: the daemon stands still")
        if window["detector_id"] not in self.needed:
            raise KeyError(f"detector {window['detector_id']!r}; expected: {', '.join(self.needed)}")
        return self.of_bins(window["detector_id"], window["bins"], now_ms, window["theta1"], window["group"])

    def renew(self) -> bool:
        """Take the data of a newer export that lies in the module's place now; look at most once a minute.

        One that is edited, cut short or of another release is left there and logged: what was loaded goes on until its
        time is over.
        """
        if self._file is None or time.monotonic() - self._looked < LOOK_S:
            return False
        self._looked, stamp = time.monotonic(), _stamp(self._file)
        if stamp is None or stamp == self._found:
            return False
        self._found = stamp
        try:
            newer = CarriedLessons(data_of_module(Path(self._file).read_text("utf-8")))
        except (StaleLessons, OSError, ValueError, SyntaxError, LookupError, TypeError, AttributeError) as problem:
            logging.getLogger(__name__).warning("%s holds no newer lessons: %s", self._file, problem)
            return False
        self.data, self.features, self.needed = newer.data, newer.features, newer.needed
        logging.getLogger(__name__).info("lessons of %s taken from %s", self.data["of"], self._file)
        return True

    def _features_of(self, braids: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Return the features that rules speak of; the group of the asset, behind them, is none of the caller's."""
        places = {place for braid in braids if braid["op"] == "RULE" for place, _, _ in braid["rule"]}
        return tuple(feature["name"] for place, feature in enumerate(self.features) if place in places)

    def _bin(self, feature: Mapping[str, Any], edges: Sequence[float] | None, value: Any, side: int) -> int:
        if value is None or value != value:
            return NULL_BIN
        if feature["values"]:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if isinstance(value, float):
                text = f"{value:.12g}"
            return int(feature["values"].get(text, feature["rest"]))
        if not edges or (feature["aligned"] and side == 0):
            return NULL_BIN
        if feature["aligned"] and side < 0:
            value = -value
        return sum(value > edge for edge in edges)

    def _fired(self, braids: Sequence[dict[str, Any]], bins: Sequence[int], now_ms: int) -> dict[str, dict[str, Any]]:
        fired: dict[str, dict[str, Any]] = {}
        for braid in braids:
            if braid["from_ms"] <= now_ms < braid["until_ms"] and _fires(braid, bins, fired):
                fired[braid["id"]] = braid
        return fired

    def _patched(
        self, acting: Sequence[dict[str, Any]], fired: Mapping[str, dict[str, Any]], theta1: float
    ) -> tuple[float, float]:
        """Return (theta', phi') within the caps, which field braids move."""
        if not acting:
            return theta1, 1.0
        delta, phi = 0.0, 1.0
        for braid in acting:
            theta_part, phi_part = _effect(braid, fired)
            delta, phi = delta + theta_part, phi * phi_part
        caps = self.data["caps"]
        theta_min, phi_total = caps["theta_min"], caps["phi_total"]
        low = high = 1.0
        for braid in fired.values():
            if braid["type"] == "field":
                low, high = low * braid["theta_min_mult"], high * braid["phi_max_mult"]
        if low != 1.0 or high != 1.0:
            theta_min, phi_total = theta_min * low, 1.0 + (phi_total - 1.0) * high
        delta = min(max(delta, -caps["theta_total"]), caps["theta_total"])
        if delta < 0.0:
            theta = max(min(theta1, theta_min), theta1 + delta)
        else:
            theta = max(theta1, min(caps["theta_max"], theta1 + delta))
        return theta, min(max(phi, 1.0 / phi_total), phi_total)

    def _tilt(
        self,
        temperature: float,
        acting: Sequence[dict[str, Any]],
        fired: Mapping[str, dict[str, Any]],
        moved: tuple[float, float, float],
    ) -> tuple[float, float]:
        """Return the tilt of theta and phi and the gate of earned trust, both in logits."""
        caps, (theta1, theta2, phi) = self.data["caps"], moved
        if temperature <= 0.0:
            return 0.0, 0.0
        gain = math.log(phi) + caps["penalty_a"] * math.log((1.0 - theta2) / (1.0 - theta1))
        limit = caps["whole_tilt"][0]
        tilt = min(max((1.0 - caps["sq_share"]) * gain / temperature, -limit), limit)
        level = max((b["level"] for b in fired.values()), default=0)
        if not level:
            return tilt, 0.0
        gate = min(max(sum((_gate(b, fired) for b in acting), 0.0), -MAX_GATE), MAX_GATE)
        whole = caps["whole_tilt"][level]
        return tilt, min(max(gate, -whole - tilt), whole - tilt)


class HomeWindows:
    """The windows that the daemon of a home has scored, read from its pages (`lotus up`, `lotus console`)."""

    def __init__(self, url: str, token: str, timeout_s: float = 2.0) -> None:
        """Remember where the pages are, as `http://127.0.0.1:8000`, and their token; nothing is asked yet."""
        self._url, self._timeout_s = url.rstrip("/"), timeout_s
        self._headers = {"Authorization": f"Bearer {token}"}
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy sees the token

    def newest(self, detector: str, asset: str, at_ms: int | None = None) -> dict[str, Any]:
        """Return the newest window of a detector and coin: `bins`, `theta1`, `group`, `side`, `window_end_ms`.

        With `at_ms` it is the newest that was over then, of a day that is scored. Raises `StaleLessons` where there is
        none within a minute, or the pages do not answer.
        """
        asked = {"detector": detector, "asset": asset} | ({} if at_ms is None else {"at": str(at_ms)})
        place = f"{self._url}/api/v1/features?{urllib.parse.urlencode(asked)}"
        try:
            question = urllib.request.Request(place, headers=self._headers)
            with self._direct.open(question, timeout=self._timeout_s) as answer:
                windows: list[dict[str, Any]] = json.load(answer)["windows"]
        except (OSError, ValueError, KeyError) as problem:
            raise StaleLessons(f"{self._url} does not answer: {problem}; likely cause: lotus up does not run") from None
        if not windows:
            raise StaleLessons(f"no window of {detector} on {asset} within a minute; likely cause: no daemon runs")
        return max(windows, key=lambda window: int(window["window_end_ms"]))


def data_of_module(text: str) -> Any:
    """Return the data of an exported module without running it; raises `StaleLessons` unless its source is whole."""
    calls: dict[str, ast.Call] = {}
    for line in ast.parse(text).body:
        value = getattr(line, "value", None)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            calls[value.func.id] = value
    digits = ast.literal_eval(calls["check_source"].args[1])
    if hash_of_source(text, digits) != digits:
        raise StaleLessons(f"source {hash_of_source(text, digits)}; expected: {digits}; likely cause: edited")
    loaded: Any = calls["CarriedLessons"].args[0]  # json.loads("...")
    return json.loads(ast.literal_eval(loaded.args[0]))


def _stamp(file: str | None) -> tuple[int, int] | None:
    """Return what changes when a file is replaced, None for none."""
    try:
        status = Path(file or "").stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def hash_of(data: Mapping[str, Any]) -> str:
    """Return the hash of an export: of all but its hash, as canonical JSON."""
    rest = {key: value for key, value in data.items() if key != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def hash_of_source(text: str, digits: str = "") -> str:
    """Return the hash of a module's text without the digits of its hash, the same for all ends of lines."""
    lines = text.replace(digits, "").splitlines()
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def check_source(names: Mapping[str, Any], digits: str) -> None:
    """Raise `StaleLessons` unless the text of the module that has these names has this hash."""
    read = getattr(names.get("__loader__"), "get_source", None)
    text = read(names["__name__"]) if read else None
    if text is None:
        raise StaleLessons("no source to check; expected: the module as a file; likely cause: compiled, or run as text")
    if hash_of_source(text, digits) != digits:
        found = hash_of_source(text, digits)
        raise StaleLessons(f"source {found}; expected: {digits}; likely cause: edited, or cut short: export it again")


def or_refuse(decide: Callable[..., Any]) -> Callable[..., bool]:
    """Return what confirms an entry so that whatever is raised in it is logged and answered with no.

    Freqtrade takes an exception in `confirm_trade_entry` for a yes: without this, lessons whose time is over, or a disk
    that is full, would let every trade pass.
    """

    @functools.wraps(decide)
    def confirm(*args: Any, **kwargs: Any) -> bool:
        try:
            return bool(decide(*args, **kwargs))
        except Exception:
            logging.getLogger(__name__).exception("no entry, since this failed: %s", decide.__qualname__)
            return False

    return confirm


def moved_chance(chance: float, tilt: float) -> float:
    """Return a chance to act whose logit is moved by a tilt; 0 and 1 stay."""
    if not 0.0 < chance < 1.0:
        return chance
    return 1.0 / (1.0 + (1.0 - chance) / chance * math.exp(-tilt))


def _fires(braid: Mapping[str, Any], bins: Sequence[int], fired: Mapping[str, Any]) -> bool:
    if braid["op"] == "RULE":
        return all(low <= bins[feature] <= high for feature, low, high in braid["rule"])
    hits = [parent for parent in braid["parents"] if parent in fired]
    if braid["op"] == "UNION":
        return bool(hits)
    if braid["op"] == "EXCEPT":
        return hits == [braid["parents"][0]]
    return len(hits) == len(braid["parents"])


def _effect(braid: Mapping[str, Any], fired: Mapping[str, dict[str, Any]]) -> tuple[float, float]:
    op = braid["op"]
    if op == "RULE":
        return braid["theta"], braid["phi"]
    if op in ("UNION", "INTERSECT"):
        theta, phi = 0.0, 1.0
        for parent, share in _shares(braid, fired):
            part = _attenuated(parent, share)
            theta, phi = theta + part[0], phi * part[1]
        return theta, phi
    parent = fired[braid["parents"][0]]
    if op == "LIFT_ONLY":
        return 0.0, parent["phi"]
    if op == "PENALTY_ONLY":
        return parent["theta"], 1.0
    return _attenuated(parent, braid["strength"] if op == "ATTENUATE" else 1.0)


def _gate(braid: Mapping[str, Any], fired: Mapping[str, dict[str, Any]]) -> float:
    op = braid["op"]
    if op == "RULE":
        return float(braid["gate"])
    if op in ("UNION", "INTERSECT"):
        return sum((share * parent["gate"] for parent, share in _shares(braid, fired)), 0.0)
    gate = float(fired[braid["parents"][0]]["gate"])
    if op == "LIFT_ONLY":
        return max(gate, 0.0)
    if op == "PENALTY_ONLY":
        return min(gate, 0.0)
    return braid["strength"] * gate if op == "ATTENUATE" else gate


def _shares(braid: Mapping[str, Any], fired: Mapping[str, dict[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """Return the parents that hold, in canonical order, each with its share of a union (1 of an intersection)."""
    weights = dict(zip(braid["parents"], braid["weights"], strict=False))
    hit = [(b, weights.get(name, 0.0)) for name, b in fired.items() if name in braid["parents"]]
    total = 0.0
    for _, weight in hit:
        total += weight
    return [(b, weight / total if braid["op"] == "UNION" else 1.0) for b, weight in hit]


def _attenuated(braid: Mapping[str, Any], strength: float) -> tuple[float, float]:
    if strength == 1.0:
        return braid["theta"], braid["phi"]
    return strength * braid["theta"], braid["phi"] ** strength
