"""Which closed days of a tape may go, and letting them go. Nothing is deleted without a rule."""

import shutil
from dataclasses import dataclass

from lotus_store.files import fsync_folder
from lotus_store.tape.store import TapeStore


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """Keep the newest `keep_days` days (0 = all) and at most `max_bytes` stored (0 = no limit)."""

    keep_days: int = 0
    max_bytes: int = 0


def expired_days(store: TapeStore, rules: RetentionRules) -> list[str]:
    """Return the days that the rules let go, oldest first; the newest two days (state needs them) always stay.

    Of a shared tape only days that are whole in the object store go: they are got from there when they are read.
    """
    days = store.days_here()
    free_to_go = days[:-2]
    expired = days[: -rules.keep_days] if rules.keep_days else []
    if rules.max_bytes:
        sizes = {day: sum(meta.stored_bytes for meta in store.segments(day)) for day in days}
        kept = sum(sizes.values()) - sum(sizes[day] for day in expired)
        for day in days[len(expired) :]:
            if kept <= rules.max_bytes:
                break
            expired.append(day)
            kept -= sizes[day]
    is_free = store.shared.has_put if store.shared is not None else bool
    return [day for day in free_to_go if day in expired and is_free(day)]


def apply_retention(store: TapeStore, rules: RetentionRules) -> list[str]:
    """Delete the expired days, oldest first, each by one rename and then its files; return them."""
    gone = expired_days(store, rules)
    for leftover in store.folder.glob(".expired-*"):
        shutil.rmtree(leftover)
    for day in gone:
        leaving = store.folder / f".expired-{day}"
        (store.folder / day).replace(leaving)
        fsync_folder(store.folder)
        shutil.rmtree(leaving)
    return gone
