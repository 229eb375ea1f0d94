"""The kill switch: a file of the home, thrown by a command, a person or another process, seen without any database.

Thrown, nothing may be opened; thrown to flatten, every position is left too. It stays thrown over restarts until it is
lifted by hand. (Literature: dead-man's switch, trading halt.)
"""

from dataclasses import dataclass
from pathlib import Path

from lotus_store.files import make_folder, write_bytes

LIFTED, HALTED, FLATTENED = "lifted", "halt", "flatten"


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The switch of one home."""

    home: Path

    @property
    def path(self) -> Path:
        """The file; that it is there is the switch, what it says is only how."""
        return self.home / "live" / "KILL"

    def throw(self, flatten: bool = False) -> None:
        """Throw it; one that flattens is not weakened by a later one that only halts."""
        if self.state() != FLATTENED:
            make_folder(self.path.parent)
            write_bytes(self.path, (FLATTENED if flatten else HALTED).encode())

    def lift(self) -> None:
        """Take it back."""
        self.path.unlink(missing_ok=True)

    def is_thrown(self) -> bool:
        """Tell whether nothing may be opened."""
        return self.state() != LIFTED

    def state(self) -> str:
        """Return `lifted`, `halt` or `flatten`; a file that cannot be read halts."""
        try:
            said = self.path.read_text(errors="replace").strip()
        except FileNotFoundError:
            return LIFTED
        except OSError:
            return HALTED
        return FLATTENED if said == FLATTENED else HALTED
