"""The kill switch: an empty file of the home, thrown by a command, a person or another process; no database, no text.

Thrown, nothing may be opened; thrown to flatten (a second name), every position is left too. It stays thrown over
restarts until it is lifted by hand. Throwing needs no room on the disk: where no file can be made, the reserve is
renamed. A folder that is gone reads as thrown. (Literature: dead-man's switch, trading halt, fail-safe default.)
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LIFTED, HALTED, FLATTENED = "lifted", "halt", "flatten"


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The switch of one home."""

    home: Path

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
        with suppress(FileExistsError):
            self.folder.mkdir(parents=True, mode=0o700)
        path = self.flatten_path if flatten else self.path
        reserve = self._reserve(path)
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        except OSError:
            if not self._stands(path):
                reserve.rename(path)
        self._sync()

    def lift(self) -> None:
        """Take it back."""
        for path in (self.path, self.flatten_path):
            path.unlink(missing_ok=True)
        self.prepare()

    def prepare(self) -> Self:
        """Make the folder, and a reserve for each name; a disk without room for them is for others to tell."""
        with suppress(FileExistsError):
            self.folder.mkdir(parents=True, mode=0o700)
        for path in (self.path, self.flatten_path):
            with suppress(OSError):
                self._reserve(path).touch(0o600)
        return self

    def is_thrown(self) -> bool:
        """Tell whether nothing may be opened."""
        return self.state() != LIFTED

    def state(self) -> str:
        """Return `lifted`, `halt` or `flatten`; whatever cannot be read halts."""
        if self._stands(self.flatten_path):
            return FLATTENED
        if not self._stands(self.path):
            return LIFTED if self.folder.is_dir() else HALTED
        try:
            return FLATTENED if self.path.read_text(errors="replace").strip() == FLATTENED else HALTED
        except OSError:
            return HALTED

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
