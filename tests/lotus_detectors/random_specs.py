"""Random detectors in the language's own words, and the laws that every set of them must keep.

`python tests/lotus_detectors/random_specs.py --sets 1000 --seed 7` checks that many sets: live equals batch by hash,
and a tape cut anywhere gives the beginning of what the whole tape gives; so does their score under random beliefs that
change twice, with gates and levels of trust. The word of the field: property test, fuzzing.
"""

import argparse
import hashlib
import sys
import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.scored import Columns, columns_of
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.detectors.windows.builder import WindowBatch, WindowBuilder, build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL, W_END, window_columns
from lotus.errors import ExpressionError
from lotus.experts.annotation_spec import A_CONFIRM, A_EVIDENCE, N_VALUES
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.priors.asset_context import ASSET
from lotus.priors.types import NEVER_MS, Literal, PriorsVersion, Rule, priors_0, priors_version
from lotus.priors.vocabulary import N_BINS
from lotus.tape_machine.environment import InputColumn, frame_columns
from lotus_live.parity import events_hash

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from random_priors import random_version, trusted

MANIFEST = Manifest()
FRAME_SPANS = ("1s", "3s", "17s", "1m")
WINDOW_SPANS = ("5s", "15s", "1m", "2m")


@dataclass
class Writer:
    """Writes expressions without a unit over the columns of one table."""

    rng: np.random.Generator
    columns: dict[str, InputColumn]
    spans: tuple[str, ...]
    names: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    def pick(self, words: tuple[str, ...] | list[str]) -> str:
        """Return one of the words."""
        return words[int(self.rng.integers(len(words)))]

    def leaf(self) -> str:
        """Return a column over one of its unit, a name, or a constant."""
        if self.names and self.rng.random() < 0.3:
            return self.pick(self.names)
        if self.rng.random() < 0.2:
            return f"{self.rng.integers(0, 40) / 8:g}"
        numbers = [n for n, column in self.columns.items() if column.kind == "number"]
        name = self.pick(numbers)
        unit = self.columns[name].unit
        return name if unit == "1" else f"{name} / {'1' if not unit.startswith('1/') else ''}{unit}"

    def number(self, depth: int) -> str:
        """Return a number."""
        if depth <= 0:
            return f"({self.leaf()})"
        x, y, w = self.number(depth - 1), self.number(depth - 2), self.pick(self.spans)
        long = self.pick(self.spans[1:])
        return self.pick([
            f"({x} + {y})", f"({x} - {y})", f"({x} * {y})", f"({x} / {y})", f"min({x}, {y})", f"max({x}, {y})",
            f"-{x}", f"abs({x})", f"sign({x})", f"sqrt({x})", f"log({x})", f"clip({x}, -1, {y})",
            f"where({self.flag(depth - 1)}, {x}, {y})", f"lag({x}, {w})", f"delta({x}, {w})", f"ema({x}, {w})",
            f"mean({x}, {w})", f"std({x}, {w})", f"sum({x}, {w})", f"(zscore({x}, {long}) / 1sigma)", f"rank({x}, {w})",
            f"quantile({x}, 0.75, {w})", f"max({x}, {w})", f"min({x}, {w})", f"(argmax_age({x}, {w}) / 1step)",
            f"(argmin_age({x}, {w}) / 1step)", f"(slope({x}, {long}) * 1min)", f"crossed({x}, {y})",
            f"(since({self.flag(depth - 1)}) / 1step)", f"hold({x}, {self.flag(depth - 2)}, {w})",
            f"count({self.flag(depth - 1)}, {w})", f"breakout({x}, {w})", f"retest({x}, {y}, 0.25, {w})",
            f"(rsi({x}, {w}) / 100)", f"macd({x}, {self.spans[0]}, {self.spans[2]})",
        ])  # fmt: skip

    def flag(self, depth: int) -> str:
        """Return a flag."""
        if self.flags and self.rng.random() < 0.2:
            return self.pick(self.flags)
        x, y = self.number(depth - 1), self.number(depth - 2)
        plain = f"({x} {self.pick(('<', '<=', '>', '>=', '==', '!='))} {y})"
        if depth <= 0:
            return plain
        return self.pick([
            plain, f"known({x})", f"not {plain}", f"({plain} and {self.flag(depth - 1)})",
            f"({plain} or {self.flag(depth - 1)})", f"within({plain}, {self.pick(self.spans)})",
        ])  # fmt: skip


def random_spec(rng: np.random.Generator, name: str) -> DetectorSpec:
    """Return one random detector; a text whose constants have no finite value (1 / 0) is written again."""
    while True:
        try:
            return parse_spec(_text(rng, name), name)
        except ExpressionError as error:
            if "without a finite value" not in error.found:
                raise


def _text(rng: np.random.Generator, name: str) -> str:
    frames = Writer(rng, frame_columns(), FRAME_SPANS)
    for k in range(int(rng.integers(1, 4))):
        frames.names.append(f"f{k}")
    values = {n: Writer(rng, frame_columns(), FRAME_SPANS).number(int(rng.integers(1, 4))) for n in frames.names}
    windows = Writer(rng, window_columns(), WINDOW_SPANS, ["gain", *values])
    names = {f"w{k}": windows.number(int(rng.integers(1, 4))) for k in range(2)}
    use = " + ".join(f"where(known({n}), 0, 0.001)" for n in (*values, *names, "gain"))
    windows.names += list(names)
    lines = [
        f"detector_id: {name}", "family: random", "version: 1", "idea: None.", "horizon: 30s", "band: 20s..160s",
        "best_phase_deg: 0", "params: {gain: 0.7}", "frames:", *(f"  {n}: {text}" for n, text in values.items()),
        "windows:", *(f"  {n}: {text}" for n, text in names.items()),
        f"signal: {windows.number(3)} + {use}",
    ]  # fmt: skip
    return "\n".join(lines)


def random_set(rng: np.random.Generator) -> tuple[DetectorSpec, ...]:
    """Return one to three random detectors."""
    return tuple(random_spec(rng, f"random_{k}") for k in range(int(rng.integers(1, 4))))


def random_stretch(seed: int, events: int = 6_000) -> tuple[FrameBatch, AnnotationBatch]:
    """Return frames of a rough tape with gaps and nulls, and notes of no expert."""
    frames = build_frames(sample_events(seed, events), MANIFEST, MANIFEST.universe)
    rng = np.random.default_rng(seed)
    values = np.zeros((len(frames), N_VALUES))
    values[:, A_EVIDENCE] = rng.random(len(frames))
    values[:, A_CONFIRM] = values[:, A_EVIDENCE] > 0.6
    return frames, AnnotationBatch(frames.ints[:, :2].copy(), values)


def hash_of(windows: WindowBatch) -> str:
    """Return the hash of all bits of the windows."""
    return hashlib.blake2b(windows.ints.tobytes() + windows.floats.tobytes(), digest_size=16).hexdigest()


def live(specs: tuple[DetectorSpec, ...], frames: FrameBatch, notes: AnnotationBatch) -> WindowBatch:
    """Return the windows of a builder that is fed frame by frame."""
    builder = WindowBuilder(MANIFEST, len(frames.universe), specs)
    ints, floats = [np.zeros((0, len(builder.ints)), np.int64)], [np.zeros((0, len(builder.floats)))]
    for i, row, note in zip(frames.ints, frames.floats, notes.values, strict=True):
        if builder.feed(i, row, note):
            ints.append(builder.ints[None].copy())
            floats.append(builder.floats[None].copy())
    return WindowBatch(specs, MANIFEST.kernel.window_ms, np.concatenate(ints), np.concatenate(floats))


def check_set(specs: tuple[DetectorSpec, ...], frames: FrameBatch, notes: AnnotationBatch, cut: int) -> WindowBatch:
    """Return the windows; raises `AssertionError` when live differs or the first `cut` frames say anything else."""
    batch = build_windows(frames, notes, MANIFEST, specs)
    assert hash_of(live(specs, frames, notes)) == hash_of(batch), "live differs from batch"
    part = FrameBatch(
        frames.universe, frames.cadence_ms, frames.ints[:cut], frames.floats[:cut], frames.quotes, frames.gaps
    )
    begun = build_windows(part, AnnotationBatch(notes.ints[:cut], notes.values[:cut]), MANIFEST, specs)
    n = len(begun)
    first = WindowBatch(specs, batch.window_ms, batch.ints[:n], batch.floats[:n])
    assert hash_of(begun) == hash_of(first), f"a tape of {cut} frames gives something else"
    return batch


def random_beliefs(rng: np.random.Generator, windows: WindowBatch) -> list[PriorsVersion]:
    """Return the genesis version and two with gates and levels, in force from a third and two thirds on.

    Of four braids one fires on every window and one on every window of one coin.
    """
    ends = np.unique(windows.ints[:, W_END])
    made = [priors_0("main")]
    for start in ends[[len(ends) // 3, 2 * len(ends) // 3]].tolist():
        names = [spec.detector_id for spec in windows.detectors]
        version = trusted(rng, random_version(rng, start=start, detectors=names), share=float(rng.random()))
        braids = tuple(
            replace(b, effective_from_ms=0, expires_at_ms=NEVER_MS, rule=_rule(k, b.rule))
            for k, b in enumerate(version.braids)
        )
        made.append(priors_version("main", start, braids))
    return made


def _rule(number: int, drawn: Rule) -> Rule:
    coins = len(MANIFEST.universe)
    of_four = (drawn, Rule(), drawn, Rule.of(Literal(ASSET, number % coins, number % coins)))
    return of_four[number % 4]


@cache
def tables_of(specs: tuple[DetectorSpec, ...]) -> DayTables:
    """Return tables without history, whose contexts have bins."""
    plain = day_tables("2025-01-01", [], MANIFEST, MANIFEST.universe, specs)
    edges = tuple((-0.4, 0.0, 0.4, 1.0)[: n - 1] for n in N_BINS)
    return replace(plain, edges=(edges,) * len(MANIFEST.universe))


def scored(windows: WindowBatch, versions: list[PriorsVersion], rows: int | None = None) -> Columns:
    """Return the events of the first windows in batch."""
    part = WindowBatch(windows.detectors, windows.window_ms, windows.ints[:rows], windows.floats[:rows])
    tables = tables_of(windows.detectors)
    return Scorer(MANIFEST, MANIFEST.universe, windows.detectors, tables, versions, "main").feed_all(part, "live")


def check_beliefs(windows: WindowBatch, versions: list[PriorsVersion], cut: int) -> Columns:
    """Return the events; raises `AssertionError` where live differs, the future is known, or a gate acts untrusted."""
    batch = scored(windows, versions)
    tables = tables_of(windows.detectors)
    scorer = Scorer(MANIFEST, MANIFEST.universe, windows.detectors, tables, versions[:1], "main")
    parts, known = [], 1
    for ints, floats in zip(windows.ints, windows.floats, strict=True):
        while known < len(versions) and ints[W_END] >= versions[known].effective_from_ms:
            known += 1
            scorer.swap(versions[:known])
        parts.append(scorer.feed(ints, floats))
    assert events_hash(columns_of(parts)) == events_hash(batch), "live differs from batch under beliefs"
    rows = cut * len(windows.detectors)
    begun = {name: values[:rows] for name, values in batch.items()}
    assert events_hash(scored(windows, versions, cut)) == events_hash(begun), f"{cut} windows give something else"
    plain, gated = (
        scored(windows, [_untrusted(version, with_gates) for version in versions]) | {"priors_ver": batch["priors_ver"]}
        for with_gates in (False, True)
    )
    assert not gated["gate"].any()
    assert events_hash(gated) == events_hash(plain), "a gate acts without a level"
    return batch


def _untrusted(version: PriorsVersion, with_gates: bool) -> PriorsVersion:
    gates = [b.patch.gate if with_gates else 0.0 for b in version.braids]
    braids = (replace(b, level=0, patch=replace(b.patch, gate=g)) for b, g in zip(version.braids, gates, strict=True))
    return priors_version(version.branch, version.effective_from_ms, tuple(braids))


def main() -> None:
    """Check as many sets as asked for."""
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--sets", type=int, default=1000)
    words.add_argument("--seed", type=int, default=7)
    asked = words.parse_args()
    rng, began = np.random.default_rng(asked.seed), time.monotonic()
    frames, notes = random_stretch(asked.seed)
    beliefs, gated = np.random.default_rng([asked.seed, 1]), 0
    digest, spoken = hashlib.blake2b(digest_size=16), 0
    for k in range(asked.sets):
        batch = check_set(random_set(rng), frames, notes, int(rng.integers(1, len(frames))))
        cut = int(beliefs.integers(1, len(batch)))
        gated += int(np.count_nonzero(check_beliefs(batch, random_beliefs(beliefs, batch), cut)["gate"]))
        digest.update(hash_of(batch).encode())
        spoken += bool(np.std(batch.floats[:, F_SIGNAL:], axis=0).any())
        if (k + 1) % 100 == 0:
            words = f"{k + 1} sets, {spoken} with a signal, {gated} gates acted, {time.monotonic() - began:.0f} s"
            print(words, file=sys.stderr, flush=True)
    print(f"{asked.sets} sets of seed {asked.seed}: live equals batch, nothing looks ahead; hash {digest.hexdigest()}")


if __name__ == "__main__":
    main()
