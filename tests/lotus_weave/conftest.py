"""Shared boards of the weave's tests."""

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("weave_boards", Path(__file__).with_name("boards.py"))
_BOARDS = importlib.util.module_from_spec(_SPEC)
sys.modules["weave_boards"] = _BOARDS
_SPEC.loader.exec_module(_BOARDS)
