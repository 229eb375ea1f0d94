"""Settings: `lotus.toml`, the environment and explicit overrides, resolved once into one frozen value.

Order of precedence: an argument of `load_settings` > environment > the branch's own settings > `lotus.toml` > the
defaults of `lotus.manifest`. This is the only reader of `lotus.toml` and of the LOTUS_* environment;
nothing here connects to anything.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lotus.detectors.entry_style import EntryStyle, Fallback
from lotus.errors import ConfigError
from lotus.manifest import Asset, Manifest, override
from lotus.names import is_name
from lotus.priors.segment_context import has_segments
from lotus.priors.types import check_trust
from lotus_store.branch_settings import merged, read_branch_settings
from lotus_store.settings.llm import LlmSettings, check_llm
from lotus_store.settings.sections import (
    LEAST_FRAMES_DAYS,
    LEAST_ROWS_DAYS,
    AlertSettings,
    BreedingSettings,
    ComputeSettings,
    CurationSettings,
    DagsterLimits,
    FleetSettings,
    GovernanceSettings,
    LiveSettings,
    LogSettings,
    RetentionSettings,
    SafetySettings,
    TapeLimits,
    TradingSettings,
)

DATABASES = ("sig", "dm", "tr", "vis", "atlas", "dagster")
SECTIONS = ("kernel", "score", "outcomes", "learning", "weave", "detectors")
LOG_CHOICES = {"format": ("text", "json"), "level": ("debug", "info", "warning", "error")}
TRADING_VENUES = ("off", "paper", "local", "hyperliquid")
_STYLES = tuple(EntryStyle)
STYLE_CHOICES = {"entry_style": _STYLES, "exit_style": _STYLES, "entry_fallback": tuple(Fallback)}
BRANCH_FORM = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process needs to know about its place; `dsns` is empty for the embedded server."""

    home: Path
    manifest: Manifest = field(default_factory=Manifest)
    branch: str = "main"
    tape: str = "live"
    dsns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    server_dsn: str = field(default="", repr=False)
    lake_url: str = ""
    segments_url: str = ""  # folder or URL at which closed segments of tape are shared; empty: nowhere
    limits: TapeLimits = field(default_factory=TapeLimits)
    live: LiveSettings = field(default_factory=LiveSettings)
    trading: TradingSettings = field(default_factory=TradingSettings)
    safety: SafetySettings = field(default_factory=SafetySettings)
    dagster: DagsterLimits = field(default_factory=DagsterLimits)
    curation: CurationSettings = field(default_factory=CurationSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    governance: GovernanceSettings = field(default_factory=GovernanceSettings)
    fleet: FleetSettings = field(default_factory=FleetSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    llm: LlmSettings = field(default_factory=LlmSettings)
    breeding: BreedingSettings = field(default_factory=BreedingSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    config: Path | None = None

    @property
    def lake_root(self) -> str:
        """Folder or URL of the lake: `folders.lake`, else `<home>/lake`."""
        return self.lake_url or str(self.home / "lake")

    @property
    def tape_root(self) -> Path:
        """Folder of all tapes; one tape is `<home>/tape/<tape>`."""
        return self.home / "tape"

    @property
    def keys_root(self) -> Path:
        """Folder of the modules' signing keys (mode 0700)."""
        return self.home / "keys"

    @property
    def embedded(self) -> bool:
        """True when the databases are served by the embedded PostgreSQL of this home."""
        return not self.server_dsn and not self.dsns


OWN_SECTIONS: Mapping[str, type] = {  # sections that are a field of `Settings` as they stand
    "live": LiveSettings, "trading": TradingSettings, "safety": SafetySettings, "dagster": DagsterLimits,
    "curation": CurationSettings, "compute": ComputeSettings, "governance": GovernanceSettings, "alerts": AlertSettings,
    "fleet": FleetSettings, "retention": RetentionSettings, "llm": LlmSettings,
    "breeding": BreedingSettings,
}  # fmt: skip


def load_settings(home: Path | str | None = None, config: Path | str | None = None, **overrides: Any) -> Settings:
    """Resolve the settings; `overrides` are fields of `Settings` (branch, tape, ...), None meaning "not given".

    Raises `ConfigError` naming the file, section and key of anything unknown, of another type or out of range.
    """
    path = _config_path(config)
    document = _read(path) if path else {}
    folders = _section(document, "folders", {"home": str, "lake": str, "segments": str})
    place = Path(home or os.environ.get("LOTUS_HOME") or folders.get("home") or ".lotus").expanduser().absolute()
    if place.exists() and not place.is_dir():
        raise ConfigError(f"the home {place} is a file", "a folder", "--home, LOTUS_HOME or folders.home of lotus.toml")
    names: dict[str, Any] = dict(_names(document))
    document = merged(document, read_branch_settings(place, overrides.get("branch") or names["branch"]))
    own = {name: override(kind(), dict(document.get(name, {})), name) for name, kind in OWN_SECTIONS.items()}
    settings = Settings(
        home=place,
        manifest=_manifest(document),
        dsns=MappingProxyType(_module_dsns(document)),
        server_dsn=os.environ.get("LOTUS_PG_DSN") or _ledger(document).get("dsn", ""),
        lake_url=os.environ.get("LOTUS_LAKE") or folders.get("lake", ""),
        segments_url=os.environ.get("LOTUS_SEGMENTS") or folders.get("segments", ""),
        limits=override(TapeLimits(), _names_dropped(document, "tape", "name"), "tape"),
        logs=_logs(document),
        config=path,
        **(names | own),
    )
    given = {k: v for k, v in overrides.items() if v is not None}
    unknown = sorted(set(given) - set(Settings.__dataclass_fields__))
    if unknown:
        raise ConfigError(f"unknown setting {unknown[0]!r}", f"one of {', '.join(Settings.__dataclass_fields__)}")
    return _checked(replace(settings, **given))


def home_of(given: Path | str | None = None) -> Path:
    """Return the home: what is given or in the environment, else that of a `lotus.toml`, however faulty the rest."""
    named = given or os.environ.get("LOTUS_HOME") or ""
    config = Path(os.environ.get("LOTUS_CONFIG") or "lotus.toml").expanduser()
    if not named:
        with suppress(OSError, ValueError, KeyError, TypeError):
            named = str(tomllib.loads(config.read_text(encoding="utf-8"))["folders"]["home"])
    return Path(named or ".lotus").expanduser().absolute()


def _config_path(config: Path | str | None) -> Path | None:
    wanted = config or os.environ.get("LOTUS_CONFIG")
    if wanted:
        path = Path(wanted).expanduser().absolute()
        if not path.is_file():
            raise ConfigError(f"there is no file {path}", "a lotus.toml", "--config or LOTUS_CONFIG points elsewhere")
        return path
    path = Path("lotus.toml").absolute()
    return path if path.is_file() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path} cannot be read: byte {problem.start} is none of a text", "TOML 1.0") from problem
    except (tomllib.TOMLDecodeError, OSError) as problem:
        raise ConfigError(f"{path} cannot be read: {problem}", "TOML 1.0") from problem
    names = {"branch", "universe", "folders", "ledger", "tape", "logs", *OWN_SECTIONS, *SECTIONS}
    for key in document:
        if key not in names:
            raise ConfigError(f"{path.name} has an unknown key {key!r}", f"one of {', '.join(sorted(names))}")
        if isinstance(document[key], dict) is (key == "branch"):
            wanted = "a text" if key == "branch" else f"the section [{key}]"
            raise ConfigError(f"{path.name} has something else under {key}", wanted, "a typing error")
    return document


def _section(document: dict[str, Any], name: str, types: dict[str, type]) -> dict[str, Any]:
    values = document.get(name, {})
    for key, value in values.items():
        if key not in types or not isinstance(value, types[key]):
            secret = name == "ledger" and isinstance(value, str)  # an address may hold a password
            shown = "a text" if secret else json.dumps(value, default=str)
            raise ConfigError(f"{name}.{key} is {shown}", f"one of {', '.join(types)}, with the type in lotus.toml")
    return dict(values)


def _names(document: dict[str, Any]) -> dict[str, str]:
    branch = os.environ.get("LOTUS_BRANCH") or document.get("branch") or "main"
    tape = os.environ.get("LOTUS_TAPE") or document.get("tape", {}).get("name") or "live"
    if not isinstance(branch, str) or not isinstance(tape, str):
        raise ConfigError("branch or tape.name of lotus.toml is no text", 'a name in quotes, such as "main"')
    return {"branch": branch, "tape": tape}


def _logs(document: dict[str, Any]) -> LogSettings:
    """Return [logs], over it LOTUS_LOG_FORMAT and LOTUS_LOG_LEVEL."""
    settings = override(LogSettings(), dict(document.get("logs", {})), "logs")
    given = {name: os.environ.get(f"LOTUS_LOG_{name.upper()}", "").lower() for name in LOG_CHOICES}
    settings = replace(settings, **{name: value for name, value in given.items() if value})
    for name, choices in LOG_CHOICES.items():
        if getattr(settings, name) not in choices:
            raise ConfigError(f"logs.{name} is {getattr(settings, name)!r}", f"one of {', '.join(choices)}")
    return settings


def _names_dropped(document: dict[str, Any], section: str, *names: str) -> dict[str, Any]:
    return {k: v for k, v in document.get(section, {}).items() if k not in names}


def _manifest(document: dict[str, Any]) -> Manifest:
    manifest = Manifest()
    sections = {name: override(getattr(manifest, name), document.get(name, {}), name) for name in SECTIONS}
    universe = document.get("universe", {})
    assets = manifest.universe
    if universe:
        _section(document, "universe", {"assets": list})
        assets = tuple(_asset(entry) for entry in universe.get("assets", ()))
        if len({a.name for a in assets}) != len(assets) or not assets:
            raise ConfigError("universe.assets is empty or names an asset twice", "each asset once")
    return replace(manifest, universe=assets, **sections)


def _asset(entry: Any) -> Asset:
    if isinstance(entry, dict) and set(entry) == {"name", "sz_decimals"}:
        name, decimals = entry["name"], entry["sz_decimals"]
        if isinstance(name, str) and is_name(name) and type(decimals) is int and 0 <= decimals <= 6:
            return Asset(name, decimals)
    raise ConfigError(
        f"universe.assets has the entry {json.dumps(entry, default=str)}", '{ name = "BTC", sz_decimals = 5 }'
    )


def _ledger(document: dict[str, Any]) -> dict[str, str]:
    keys = {"dsn": str, **{f"dsn_{name}": str for name in DATABASES}}
    return _section(document, "ledger", dict(keys))


def _module_dsns(document: dict[str, Any]) -> dict[str, str]:
    ledger = _ledger(document)
    dsns = {}
    for name in DATABASES:
        dsn = os.environ.get(f"LOTUS_PG_DSN_{name.upper()}") or ledger.get(f"dsn_{name}", "")
        if dsn:
            dsns[name] = dsn
    return dsns


def _checked(settings: Settings) -> Settings:
    for what, name in (("branch", settings.branch), ("tape", settings.tape)):
        if not BRANCH_FORM.fullmatch(name):
            raise ConfigError(f"the {what} name is {name!r}", "lower case letters, digits, '_', '.' and '-'")
    for name, choices in STYLE_CHOICES.items():
        if getattr(settings.trading, name) not in choices:
            raise ConfigError(f"trading.{name} is {getattr(settings.trading, name)!r}", f"one of {', '.join(choices)}")
    if settings.trading.venue not in TRADING_VENUES:
        raise ConfigError(f"trading.venue is {settings.trading.venue!r}", f"one of {', '.join(TRADING_VENUES)}")
    shares = settings.trading.explore_entry
    if shares and not (
        len(shares) == 2 and all(type(x) in (int, float) and x >= 0.0 for x in shares) and sum(shares) < 1.0
    ):
        raise ConfigError(f"trading.explore_entry is {list(shares)}", "[share that joins, share that improves] below 1")
    has_segments(settings.manifest)
    check_trust(settings.manifest.weave)
    check_llm(settings.llm)
    if not all(isinstance(word, str) and word and "\x00" not in word for word in settings.alerts.command):
        raise ConfigError(
            f"alerts.command is {list(settings.alerts.command)!r}", 'words, as ["/path/of/a/script", "word"]'
        )
    if not all(isinstance(entry, str) and is_name(entry) for entry in settings.curation.forbidden):
        shown = json.dumps(settings.curation.forbidden, default=str)
        raise ConfigError(f"curation.forbidden is {shown}", '["DETECTOR", "@COIN", "DETECTOR@COIN", "3600s"]')
    late_ms, expires_ms = settings.trading.second_latency_ms, settings.trading.expires_ms
    if late_ms >= expires_ms:
        wanted = f"below trading.expires_ms, {expires_ms}: later orders are refused"
        raise ConfigError(f"trading.second_latency_ms is {late_ms}", wanted)
    if not 0 < settings.safety.late_s <= settings.safety.dead_s:
        raise ConfigError(f"safety.late_s is {settings.safety.late_s}", f"above 0, at most {settings.safety.dead_s}")
    keeping = settings.retention
    for name, days, least in (
        ("frames_days", keeping.frames_days, LEAST_FRAMES_DAYS),
        ("rows_days", keeping.rows_days, LEAST_ROWS_DAYS),
    ):
        if 0 < days < least:
            raise ConfigError(f"retention.{name} is {days}", f"0 (all stay), or {least} at least")
    for name, dsn in {"the whole server": settings.server_dsn, **settings.dsns}.items():
        _check_dsn(name, dsn)
    missing = [name for name in DATABASES if name not in settings.dsns]
    if settings.dsns and missing and not settings.server_dsn:
        raise ConfigError(
            f"databases {', '.join(missing)} have no address while {', '.join(settings.dsns)} have one",
            "LOTUS_PG_DSN for the whole server, or LOTUS_PG_DSN_<DATABASE> for each",
        )
    return settings


def _check_dsn(name: str, dsn: str) -> None:
    if not dsn:
        return
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(dsn)
    except ProgrammingError:  # its words quote the address, the password included
        raise ConfigError(
            f"the address of {name} cannot be read (it may hold a password and is not shown)",
            "postgresql://user@host:5432/database with its password, or words such as host=h user=u",
            "a letter is missing; LOTUS_PG_DSN... in the environment goes before [ledger] of lotus.toml",
        ) from None
