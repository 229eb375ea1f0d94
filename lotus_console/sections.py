"""The head's line: every section of the console, in order, with its tables and views."""

from typing import Final

from lotus_console.pages import (
    atoms,
    braids,
    curation,
    detectors,
    drift,
    evidence,
    experiments,
    features,
    governance,
    home,
    lessons,
    live,
    loom,
    money,
    network,
    noise,
    scores,
    strands,
    tape,
)
from lotus_console.pages.proposed import candidates, model_calls
from lotus_console.views import Section

CURATION: Final = Section(
    "Curation",
    "/curation",
    "c",
    tables=(
        curation.ACTS,
        curation.VERSIONS,
        governance.ACTS_TABLE,
        governance.CURATORS,
        governance.COMPUTE,
        governance.CREDIT,
        drift.ALARMS,
    ),
    views=(curation.CURATION, governance.GOVERNANCE),
)
SECTIONS: Final = (
    Section("Home", "/", "h", views=(home.HOME,)),
    Section(
        "Lessons",
        "/lessons",
        "l",
        tables=(lessons.LESSONS, noise.SHUFFLES, money.DAYS),
        views=(lessons.LESSON, lessons.LESSON_DAYS, noise.NOISE, money.MONEY),
    ),
    Section(
        "Loom",
        "/loom",
        "o",
        tables=(loom.WINDOWS, evidence.FRAMES, evidence.CALLS, evidence.LINES),
        views=(loom.LOOM, strands.WINDOW),
    ),
    Section("Braids", "/braids", "b", tables=(braids.BRAIDS,), views=(strands.STRANDS, braids.NOW, braids.BRAID)),
    Section("Atoms", "/atoms", "a", views=(atoms.CELL, atoms.ATOMS)),
    Section(
        "Tape",
        "/tape",
        "t",
        views=(tape.TAPE,),
        tables=(tape.DAYS, tape.MINUTES, tape.GAPS, tape.SEGMENTS, tape.PUT_ASIDE, tape.PARITY, drift.DRIFT),
    ),
    Section(
        "Live",
        "/live",
        "v",
        views=(live.LIVE, live.SWITCH_PAGE, features.FEATURES_PAGE),
        acts=(live.SWITCH,),
        tables=(live.PUBLICATIONS, scores.SCORES, live.DECISIONS, live.PLANS, live.ORDERS),
    ),
    CURATION,
    Section(
        "Detectors",
        "/detectors",
        "d",
        views=(detectors.DETECTOR, candidates.CANDIDATE),
        tables=(
            detectors.DETECTORS,
            detectors.AUDIT_TABLE,
            detectors.EXPERTS,
            candidates.CANDIDATES,
            model_calls.MODEL_CALLS,
        ),
    ),
    Section(
        "Experiments",
        "/experiments",
        "e",
        tables=(experiments.EXPERIMENTS, experiments.EXPERIMENT_RUNS, experiments.WHAT_IFS),
        views=(experiments.EXPERIMENT,),
    ),
    Section(
        "Network",
        "/network",
        "n",
        views=(network.NETWORK, network.LETTER),
        acts=(network.REPLAY,),
        tables=(network.LETTER_TABLE, network.MESSAGES),
    ),
)
