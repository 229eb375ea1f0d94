"""The world that is killed: four days of two 8-minute sessions, so that every stage writes rows in seconds.

Gates and fees are far softer than the defaults: what is learned here means nothing, but a lesson is accepted, a braid
moves the priors, and the last day runs on them. That day is a Monday, so the weekly stages have work: the second
opinion on active lessons and the judgement of the experts. Not for tests of learning. With `IS_ACTED` people and a rule
act on it (`acts`).
"""

import shutil
from importlib import import_module
from pathlib import Path

from acts import FORBIDDEN, LAST, THIRD, controls

from lotus.detectors.registry import shipped_detectors
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import payoff_scores
from lotus.manifest import Asset, LearningDefaults, Manifest, OutcomeDefaults, ScoreDefaults, WeaveDefaults
from lotus.outcomes.evaluate import mature
from lotus.simulation.spec import BTC, ETH, WorldSpec
from lotus.simulation.world import World
from lotus.timebase import day_start_ms
from lotus_live.feed.clocks import Arrival
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.warm_up import warm_up
from lotus_store.config import Settings
from lotus_store.settings.sections import CurationSettings
from lotus_store.tape.bulk import write_segment
from lotus_store.tape.import_world import import_world
from lotus_store.tape.store import TapeStore

NAME = "chaos"
IS_ACTED = False  # set before the first child is made
LIBRARIES = (
    "econml.dr", "matplotlib.figure", "pandera.pandas", "scipy.optimize", "scipy.signal", "sklearn.covariance",
    "sklearn.linear_model", "statsmodels.stats.sandwich_covariance",
)  # fmt: skip
SPEC = WorldSpec(
    "demo", seed=7, days=4, first_day="2026-01-09", assets=(BTC, ETH), sessions=(("08:00", "08:08"), ("14:00", "14:08"))
)
DAYS = [SPEC.day(i) for i in range(SPEC.days)]
MANIFEST = Manifest(
    universe=tuple(Asset(a.name, a.sz_decimals) for a in SPEC.assets),
    score=ScoreDefaults(publish_share=0.4, tau_kairos=0.0, tau_entrain=0.0, tau_uncert=1.0),
    outcomes=OutcomeDefaults(horizons_s=(30, 300), taker_fee_bps=-4.5),
    learning=LearningDefaults(
        alpha=0.98,
        min_evidence_nats=-100.0,
        draws=40,
        min_days=2,
        min_blocks=2,
        min_published=4,
        min_ess=4.0,
        min_n_eff_days=1.0,
        min_coverage=0.01,
        max_coverage=0.9,
        looks="final",
        look_day=DAYS[-2],
    ),
    weave=WeaveDefaults(min_tilt=0.0, patch_gain=500.0),
)
ODD_LINES = (b"not json", b'{"channel":"l2Book","data":{"coin":"DOGE","time":1,"levels":[[],[]]}}', b'{"channel":"bbo"')


def settings_of(home: Path) -> Settings:
    """Return the settings of one home of the world."""
    curation = CurationSettings(forbidden=FORBIDDEN) if IS_ACTED else CurationSettings()
    return Settings(home, manifest=MANIFEST, branch=NAME, tape=NAME, curation=curation)


def warm() -> None:
    """Run every kernel once in this process, so that forked children find them loaded (pure functions only).

    Libraries that the stages import when they are first needed are imported here, once for all children.
    """
    for library in LIBRARIES:
        import_module(library)
    spec = LaneSpec(MANIFEST, MANIFEST.universe, shipped_detectors(), NAME)
    warm_up(spec)
    lines: list[Arrival] = []
    for session in World(SPEC).day_pieces(0):
        lines += [Arrival(int(line[:19]), len(lines) + k, line[20:]) for k, line in enumerate(session[1].splitlines())]
    (day,) = score_tape(lines, spec, neutral_beliefs(spec))
    outcomes = mature(day.events, day.frames.quote_columns(), day.frames.gap_columns(), MANIFEST, day.day)
    learn_night({day.day: payoff_scores(day.events, outcomes, day.day).columns}, MANIFEST)


def make_tape(home: Path) -> None:
    """Write the tape; its last day also holds odd lines, so that the quarantine is not empty."""
    store = TapeStore(home, NAME)
    import_world(store, World(SPEC), range(SPEC.days))
    if IS_ACTED:
        for day in (THIRD, LAST):
            _put_controls(store, day)
    after_ns = (day_start_ms(DAYS[-1]) + 14 * 3_600_000 + 9 * 60_000) * 1_000_000
    with store.writer() as writer:
        for k, line in enumerate(ODD_LINES):
            writer.append(after_ns + k, line)


def _put_controls(store: TapeStore, day: str) -> None:
    """Write the segments of a day again with the control records of `acts` among their lines."""
    texts = [store.read_segment(meta).splitlines(keepends=True) for meta in store.segments(day)]
    said = dict(controls(day, [int(line[:19]) for lines in texts for line in lines]))
    shutil.rmtree(store.folder / day)
    (store.folder / day).mkdir()
    seq = 0
    for number, lines in enumerate(texts):
        out = []
        for line in lines:
            out.append(line)
            if (raw := said.pop(int(line[:19]), None)) is not None:
                out.append(b"%b %b\n" % (line[:19], raw))
        seq += write_segment(store.folder / day, store.tape, b"".join(out), number, seq).lines


def recording(home: Path, sessions: int) -> list[Path]:
    """Return the files of the first `sessions` segments of the last day."""
    store = TapeStore(home, NAME)
    return [store.folder / meta.day / meta.name for meta in store.segments(DAYS[-1])[:sessions]]
