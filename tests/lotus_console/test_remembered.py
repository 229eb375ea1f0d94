"""What is remembered is made once for all who wait."""

import threading
import time

from lotus_console.remembered import Remembered


def test_many_readers_make_a_value_once() -> None:
    memory, made = Remembered(), []

    def make() -> int:
        made.append(1)
        time.sleep(0.02)
        return len(made)

    readers = [threading.Thread(target=memory.of, args=("home", 1, make)) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert made == [1]
    assert memory.of("home", 2, make) == 2
