"""A file system of its own that can be broken, so that it turns read-only at once, and mended."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE_BYTES = 8 << 30  # of a file with holes; a recorder wants 2 GB free
BUSY_S = 10.0  # until those who were killed have let go


@dataclass(frozen=True)
class LoopDisk:
    """An ext4 file system in the file `image`, mounted at the folder `place`."""

    image: Path
    place: Path

    def mount(self) -> None:
        """Mount it; raises `CalledProcessError` where that is not allowed."""
        words = ["mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.place)]
        subprocess.run(words, check=True, capture_output=True)

    def break_down(self) -> None:
        """Let it find a fault: nothing is written to it any more, whoever has what open."""
        mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
        device = Path(next(words[0] for words in mounts if words[1] == str(self.place))).name
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")

    def unmount(self) -> None:
        """Unmount it as soon as nobody uses it; raises `CalledProcessError` when somebody still does."""
        deadline = time.monotonic() + BUSY_S
        while (done := subprocess.run(["umount", str(self.place)], capture_output=True)).returncode:
            if time.monotonic() > deadline:
                done.check_returncode()
            time.sleep(0.1)

    def mend(self) -> None:
        """Unmount, repair and mount it."""
        self.unmount()
        repaired = subprocess.run(["e2fsck", "-fy", str(self.image)], capture_output=True)
        if repaired.returncode > 1:  # 1: errors were corrected
            repaired.check_returncode()
        self.mount()


@contextmanager
def loop_disk(folder: Path) -> Iterator[LoopDisk]:
    """Make one in `folder` and mount it."""
    made = LoopDisk(folder / "disk.img", folder / "disk")
    made.place.mkdir()
    with made.image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(made.image)], check=True)
    made.mount()
    try:
        made.place.chmod(0o755)
        yield made
    finally:
        made.unmount()
