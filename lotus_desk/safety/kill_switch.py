"""The kill switch: an empty file of the home, thrown by a command, a person or another process; no database, no text.

Thrown, nothing may be opened; thrown to flatten (a second name), every position is left too. It stays thrown over
restarts until it is lifted by hand. Throwing needs no room on the disk: where no file can be made, the reserve is
renamed; in a home that takes nothing (read-only) it is thrown beside it in memory, until the machine starts again. A
folder that is gone reads as thrown. (Literature: dead-man's switch, trading halt, fail-safe default.)
"""

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

LIFTED, HALTED, FLATTENED = "lifted", "halt", "flatten"
MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The switch of one home.

    `is_prepared`: its reserves were there, so a folder without them is another one, made anew after the first was lost.
    """

    home: Path
    is_prepared: bool = False

    @property
    def folder(self) -> Path:
        """Where the switch lies; a home whose folder is not there is halted."""
        return self.home / "live"

    @property
    def path(self) -> Path:
        """The file; that it is there is the switch."""
        return self.folder / "KILL"

    @property
    def flatten_path(self) -> Path:
        """The second name: that it is there says how."""
        return self.folder / "KILL.flatten"

    def throw(self, flatten: bool = False) -> None:
        """Throw it; one that flattens is not weakened by a later one that only halts.

        Raises `OSError` where nothing can be made or renamed; whatever was thrown before stays thrown.
        """
        path = self.flatten_path if flatten else self.path
        try:
            self._make(path)
        except OSError:
            self._touch(self.beside(path))
        self._sync()

    def lift(self) -> None:
        """Take it back. Raises `OSError` where a name stands that cannot be taken away."""
        for path in (self.path, self.flatten_path):
            if self._is_ours(self.beside(path)):
                self.beside(path).unlink()
            if self._stands(path):
                path.unlink()
        self.prepare()

    def prepare(self) -> Self:
        """Make the folder, and a reserve for each name, and return the switch that knows whether they are there.

        A disk that takes neither is for others to tell.
        """
        with suppress(OSError):
            self.folder.mkdir(parents=True, mode=0o700)
        for path in (self.path, self.flatten_path):
            with suppress(OSError):
                self._reserve(path).touch(0o600)
        return replace(self, is_prepared=self._is_whole())

    def is_thrown(self) -> bool:
        """Tell whether nothing may be opened."""
        return self.state() != LIFTED

    def state(self) -> str:
        """Return `lifted`, `halt` or `flatten`; whatever cannot be read halts."""
        if self._stands(self.flatten_path) or self._is_ours(self.beside(self.flatten_path)):
            return FLATTENED
        if self._stands(self.path):
            return self._word()
        if self._is_ours(self.beside(self.path)) or not self.folder.is_dir():
            return HALTED
        return HALTED if self.is_prepared and not self._is_whole() else LIFTED

    def beside(self, path: Path) -> Path:
        """Return the name in memory that counts as `path`, for a home that takes nothing; any user may read there."""
        home = hashlib.sha256(os.fsencode(self.home.resolve())).hexdigest()[:32]
        return MEMORY / f"lotus-{home}-{path.name}"

    def _word(self) -> str:
        try:
            return FLATTENED if self.path.read_text(errors="replace").strip() == FLATTENED else HALTED
        except OSError:
            return HALTED

    def _make(self, path: Path) -> None:
        with suppress(FileExistsError):
            self.folder.mkdir(parents=True, mode=0o700)
        try:
            self._touch(path)
        except OSError:
            if not self._stands(path):
                self._reserve(path).rename(path)

    def _touch(self, path: Path) -> None:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))

    def _is_ours(self, path: Path) -> bool:
        """Tell whether a name in memory was made by who may throw: this user, that of the home, or root."""
        try:
            state = path.lstat()
        except OSError:
            return False
        who = {0, os.getuid()}
        with suppress(OSError):
            who.add(self.home.stat().st_uid)
        return stat.S_ISREG(state.st_mode) and state.st_uid in who

    def _is_whole(self) -> bool:
        return all(self._stands(self._reserve(path)) for path in (self.path, self.flatten_path))

    def _reserve(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.reserve")

    def _stands(self, path: Path) -> bool:
        """Tell whether a name is there; a folder that may not be looked into counts as there."""
        try:
            path.lstat()
        except FileNotFoundError:
            return False
        except NotADirectoryError:
            return False
        except OSError:
            return True
        return True

    def _sync(self) -> None:
        with suppress(OSError):
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def word_of(home: Path) -> str:
    """Return what a home's switch does to trading, "" where it is lifted or nothing ever traded."""
    switch = KillSwitch(home)
    state = switch.state() if switch.folder.is_dir() else LIFTED
    return "" if state == LIFTED else state
