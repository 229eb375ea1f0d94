"""The head's line: every section of the console, in order, with its tables and views."""

from typing import Final

from lotus_console.pages import atoms, braids, curation, home, lessons, loom, money, strands
from lotus_console.views import Section

CURATION: Final = Section(
    "Curation", "/curation", "c", tables=(curation.ACTS, curation.VERSIONS), views=(curation.CURATION,)
)
SECTIONS: Final = (
    Section("Home", "/", "h", views=(home.HOME,)),
    Section(
        "Lessons", "/lessons", "l", tables=(lessons.LESSONS,), views=(lessons.LESSON, lessons.LESSON_DAYS, money.MONEY)
    ),
    Section("Loom", "/loom", "o", tables=(loom.WINDOWS,), views=(loom.LOOM, strands.WINDOW)),
    Section("Braids", "/braids", "b", tables=(braids.BRAIDS,), views=(strands.STRANDS, braids.NOW, braids.BRAID)),
    Section("Atoms", "/atoms", "a", views=(atoms.CELL, atoms.ATOMS)),
    CURATION,
)
