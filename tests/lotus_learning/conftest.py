"""Shared settings and worlds of the learning tests."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from lotus.manifest import LearningDefaults, Manifest

_SPEC = importlib.util.spec_from_file_location("learning_worlds", Path(__file__).with_name("worlds.py"))
_WORLDS = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_WORLDS)


@pytest.fixture(scope="session")
def worlds():
    """Return the world generator."""
    return _WORLDS


@pytest.fixture(scope="session")
def one_look():
    """Return a manifest with one look at the end."""
    return dataclasses.replace(Manifest(), learning=LearningDefaults(looks="final"))
