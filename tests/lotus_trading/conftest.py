"""Shared helpers of the trader's tests, importable as `trading_plans`, `trading_venue` and `trading_executed`."""

import importlib.util
import sys
from pathlib import Path

for _file in ("plans", "venue", "executed"):
    _spec = importlib.util.spec_from_file_location(f"trading_{_file}", Path(__file__).with_name(f"{_file}.py"))
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = _module
    _spec.loader.exec_module(_module)
