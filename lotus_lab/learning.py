"""`lab.learn`: anybody's events in, honest lessons out; the one way for the command line and for Python.

How rows are judged is `lotus.own_signals`; nothing here needs a database, a tape or a network.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lotus.errors import ConfigError
from lotus.own_signals.checks import decision_horizons
from lotus.own_signals.config import OwnConfig, check_no_table, parse_config
from lotus.own_signals.recent import recent_of
from lotus.own_signals.report.facts import facts_of
from lotus.own_signals.scores import deciding, scored
from lotus.own_signals.study import study
from lotus.own_signals.table import FileRows, table_of
from lotus.progress.steps import Steps, untold
from lotus_lab.reading.columns import names_of_the_files
from lotus_lab.reading.files import read_folder
from lotus_lab.reading.frames import read_table
from lotus_lab.report.learned import Report

Config = OwnConfig | Mapping[str, Any] | str | Path | None


def learn(events: object, config: Config = None, *, nightly: bool = False, progress: Steps = untold) -> Report:
    """Return what events teach: lessons with grade, interval and bound, what was refused and why, audits of the log.

    `events` is a table of pandas, polars or Arrow, or the path of a CSV or Parquet file or of a folder of them, with
    the columns that `lotus learn --explain-columns` prints. `config` holds the keys of that configuration, as a mapping
    or as the path of a YAML file. One call is one analysis at alpha = 0.04 over all detectors together; `nightly`
    replays every nightly run instead. Raises `SchemaError` and `ConfigError`: what was found, expected, and why.
    """
    settings = config_of(config)
    with tempfile.TemporaryDirectory(prefix="lotus-learn-") as scratch, names_of_the_files(settings.columns):
        files, unused = rows_of(events, Path(scratch), settings.columns, progress)
        rows = sum(len(f) for f in files)
        progress(f"{len(files)} files, {rows:,} rows" + (f"; not used: {', '.join(unused)}" if unused else ""))
        progress("checking rows and making bins", 0)
        table = table_of(files)
        scores = scored(table, settings)
        recent = recent_of(table.take(deciding(table, decision_horizons(table, settings))), scores.vocabulary)
        del table
    progress(f"{len(scores.file_days)} days, {len(scores.vocabulary.features)} features")
    for name, grouping in scores.readings.groups.items():
        progress(f"{name}: taken together by {grouping.by}: {', '.join(grouping.labels)}")
        if grouping.absent:
            progress(f"{name}: no row has {', '.join(grouping.absent)}, which the configuration groups")
    result = study(scores, settings, nightly=nightly, progress=progress)
    progress("telling what was found", 0)
    names = [f.name for f in files]
    facts = {**facts_of(result, settings), "files": names, "columns": dict(settings.columns), "unused_columns": unused}
    return Report(facts, result, scores, recent, settings)


def rows_of(
    events: object, scratch: Path, columns: Mapping[str, str], progress: Steps = untold
) -> tuple[list[FileRows], list[str]]:
    """Return the rows of events as files of them, and the columns that are not used."""
    if isinstance(events, str | Path):
        return read_folder(Path(events), scratch, columns, progress)
    return read_table(events, columns)


def config_of(config: Config) -> OwnConfig:
    """Return the settings of a configuration; raises `ConfigError` with file, key, line and column."""
    if config is None:
        return OwnConfig()
    if isinstance(config, OwnConfig):
        return config
    if isinstance(config, Mapping):
        return parse_config(yaml.safe_dump(_as_yaml(config, "config"), sort_keys=False, allow_unicode=True), "config")
    path = Path(config)
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "a YAML file, or the keys of one as a mapping") from None
    except UnicodeDecodeError as error:
        check_no_table(path.read_text("utf-8", "replace"), str(path))
        cause = f"another kind of file, or another encoding; byte {error.start} is none of a text"
        raise ConfigError(f"{path} is no text", "UTF-8", cause) from None
    return parse_config(text, str(path))


def _as_yaml(value: Any, key: str) -> Any:
    """Return a value of a mapping in types that YAML has; raises `ConfigError` for another type."""
    if isinstance(value, Mapping):
        return {str(name): _as_yaml(inner, f"{key}.{name}") for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_yaml(inner, key) for inner in value]
    if hasattr(value, "item"):
        value = value.item()
    if not isinstance(value, str | bool | int | float):
        raise ConfigError(f"{key} is a {type(value).__name__}", "a number, a text, a list or a mapping")
    return value
