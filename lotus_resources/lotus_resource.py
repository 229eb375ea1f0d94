"""The resource every asset and sensor gets: settings, lake, tape store and databases of one home.

Only opening and closing belongs here; the store's classes do the work. In a code location the settings come from
`lotus.toml` and the environment; a backfill inside a process hands its own over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg

from lotus.progress.steps import Steps, untold
from lotus_resources.recent_values import RecentValues
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.tape.store import TapeStore


@dataclass(frozen=True, slots=True)
class Lotus:
    """The open places of one home, who hears of the steps of long work in them, and what was read lately."""

    settings: Settings
    lake: Lake
    databases: Databases
    tape: TapeStore
    progress: Steps = untold
    recent: RecentValues = field(default_factory=RecentValues)

    @staticmethod
    def open(settings: Settings, progress: Steps = untold) -> "Lotus":
        """Open the places that `settings` name; the embedded server of the home is started or joined."""
        databases = Databases(settings).open()
        return Lotus(
            settings,
            Lake(settings.lake_root),
            databases,
            TapeStore(settings.home, settings.tape, settings.segments_url),
            progress,
        )

    def close(self) -> None:
        """Give connections back."""
        self.databases.close()


def _open(_: dg.InitResourceContext) -> Iterator[Lotus]:
    lotus = Lotus.open(load_settings())
    try:
        yield lotus
    finally:
        lotus.close()


LotusResource = dg.ResourceDefinition(
    resource_fn=_open,
    config_schema={},  # a run's config may not choose the home
    description="Settings, lake, tape and databases of one home (lotus.toml and the LOTUS_* environment decide).",
)
