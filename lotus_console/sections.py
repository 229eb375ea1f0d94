"""The head's line: every section of the console, in order, with its tables and views."""

from typing import Final

from lotus_console.pages import home, lessons, tape
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
)
