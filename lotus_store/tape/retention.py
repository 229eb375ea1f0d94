"""Which closed days of a tape may go, and letting them go. Nothing is deleted without a rule."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from lotus_store.files import fsync_folder
from lotus_store.tape.shards.plan import ORDER
from lotus_store.tape.store import TapeStore


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """Keep the newest `keep_days` days (0 = all) and at most `max_bytes` stored (0 = no limit)."""

    keep_days: int = 0
    max_bytes: int = 0


def expired_days(store: TapeStore, rules: RetentionRules) -> list[str]:
    """Return the days that the rules let go, oldest first; the newest two days (state needs them) always stay.

    Of a shared tape only days that are whole in the object store go: they are got from there when they are read. A day
    of a tape in shards counts with its shards, and goes with them.
    """
    places = _places(store)
    days = sorted({day for place in places for day in place.days_here()})
    free_to_go = days[:-2]
    expired = days[: -rules.keep_days] if rules.keep_days else []
    if rules.max_bytes:
        sizes = {day: sum(_bytes(place, day) for place in places) for day in days}
        kept = sum(sizes.values()) - sum(sizes[day] for day in expired)
        for day in days[len(expired) :]:
            if kept <= rules.max_bytes:
                break
            expired.append(day)
            kept -= sizes[day]
    return [day for day in free_to_go if day in expired and _is_free(places, day)]


def apply_retention(store: TapeStore, rules: RetentionRules) -> list[str]:
    """Delete the expired days, oldest first, each by one rename and then its files; return them."""
    gone = expired_days(store, rules)
    for place in _places(store):
        for leftover in place.folder.glob(".expired-*"):
            shutil.rmtree(leftover)
        for day in gone:
            leaving = place.folder / f".expired-{day}"
            if (place.folder / day).exists():
                (place.folder / day).replace(leaving)
                fsync_folder(place.folder)
                shutil.rmtree(leaving)
    return gone


def _places(store: TapeStore) -> list[TapeStore]:
    """Return the tape and, of one in shards, its shards and their order: the joined day goes first."""
    shards = store.shards()
    return [store, *shards, *([store.part(ORDER)] if shards else [])]


def _bytes(place: TapeStore, day: str) -> int:
    is_here = (place.folder / day).exists()
    return sum(meta.stored_bytes for meta in place.segments(day)) if is_here else 0


def _is_free(places: Sequence[TapeStore], day: str) -> bool:
    """Tell whether nothing of a day is in this home alone; a joined day is in its shards."""
    joined, *rest = places
    if joined.shared is None:
        return True
    here = [place for place in rest if (place.folder / day).exists()]
    of_whole = joined.shared.has_put(day) or not (joined.folder / day).exists() or bool(here)
    return of_whole and all(place.shared is not None and place.shared.has_put(day) for place in here)
