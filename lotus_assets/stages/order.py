"""The stages in the order in which a day runs them: that of the catalogue. A stage is found by its name."""

from importlib import import_module
from pkgutil import walk_packages

import lotus_assets.stages
from lotus_assets.catalogue import LEARNING_ASSETS, TAPE_ASSETS
from lotus_assets.stages.context import Stage


def _stages_of_modules() -> dict[str, Stage]:
    """Return every stage that a module in a folder beside this one defines, by name."""
    names = [found.name for found in walk_packages(lotus_assets.stages.__path__, "lotus_assets.stages.")]
    modules = [import_module(name) for name in names if name.count(".") == 3]
    stages = [value for module in modules for value in vars(module).values() if isinstance(value, Stage)]
    return {stage.name: stage for stage in stages}


_BY_NAME = _stages_of_modules()
TAPE_STAGES = tuple(_BY_NAME[entry.name] for entry in TAPE_ASSETS)
LEARNING_STAGES = tuple(_BY_NAME[entry.name] for entry in LEARNING_ASSETS)
STAGES: dict[str, Stage] = {stage.name: stage for stage in (*TAPE_STAGES, *LEARNING_STAGES)}
