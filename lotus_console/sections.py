"""The head's line: every section of the console, in order, with its tables and views."""

from typing import Final

from lotus_console.pages import detectors, experiments, home, lessons, live, network, tape
from lotus_console.views import Section

SECTIONS: Final = (
    Section("Home", "/", "h", views=(home.HOME,)),
    Section("Lessons", "/lessons", "l", tables=(lessons.LESSONS,), views=(lessons.LESSON,)),
    Section(
        "Tape",
        "/tape",
        "t",
        views=(tape.TAPE,),
        tables=(tape.DAYS, tape.MINUTES, tape.GAPS, tape.SEGMENTS, tape.PUT_ASIDE, tape.PARITY),
    ),
    Section(
        "Live",
        "/live",
        "v",
        views=(live.LIVE,),
        acts=(live.SWITCH,),
        tables=(live.PUBLICATIONS, live.DECISIONS, live.PLANS, live.ORDERS),
    ),
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
