"""The head's line: every section of the console, in order, with its tables and views."""

from typing import Final

from lotus_console.pages import (
    atoms,
    braids,
    curation,
    detectors,
    drift,
    experiments,
    home,
    lessons,
    live,
    loom,
    money,
    network,
    strands,
    tape,
)
from lotus_console.views import Section

CURATION: Final = Section(
    "Curation", "/curation", "c", tables=(curation.ACTS, curation.VERSIONS, drift.ALARMS), views=(curation.CURATION,)
)
SECTIONS: Final = (
    Section("Home", "/", "h", views=(home.HOME,)),
    Section(
        "Lessons", "/lessons", "l", tables=(lessons.LESSONS,), views=(lessons.LESSON, lessons.LESSON_DAYS, money.MONEY)
    ),
    Section("Loom", "/loom", "o", tables=(loom.WINDOWS,), views=(loom.LOOM, strands.WINDOW)),
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
        views=(live.LIVE,),
        acts=(live.SWITCH,),
        tables=(live.PUBLICATIONS, live.DECISIONS, live.PLANS, live.ORDERS),
    ),
    CURATION,
    Section(
        "Detectors",
        "/detectors",
        "d",
        views=(detectors.DETECTOR,),
        tables=(detectors.DETECTORS, detectors.AUDIT_TABLE, detectors.EXPERTS, detectors.CANDIDATES),
    ),
    Section("Experiments", "/experiments", "e", tables=(experiments.EXPERIMENTS,), views=(experiments.EXPERIMENT,)),
    Section(
        "Network",
        "/network",
        "n",
        views=(network.NETWORK, network.LETTER),
        acts=(network.REPLAY,),
        tables=(network.LETTER_TABLE, network.MESSAGES),
    ),
)
