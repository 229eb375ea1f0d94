"""Settings: the documented file says the defaults, precedence holds, and every mistake is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus.manifest import Asset, Manifest
from lotus_store.config import load_settings
from lotus_store.settings.sections import DagsterLimits, LiveSettings, LogSettings, TapeLimits, TradingSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = "HOME CONFIG BRANCH TAPE LAKE PG_DSN PG_DSN_SIG PG_DSN_DM PG_DSN_TR PG_DSN_VIS PG_DSN_ATLAS PG_DSN_DAGSTER"
    names += " LOG_FORMAT LOG_LEVEL"
    for name in names.split():
        monkeypatch.delenv(f"LOTUS_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lotus.toml"
    path.write_text(text)
    return path


def test_the_documented_file_shows_exactly_the_defaults(tmp_path: Path) -> None:
    shown = load_settings(config=ROOT / "lotus.toml")
    bare = load_settings()
    assert shown.manifest == Manifest()
    assert (shown.limits, shown.live, shown.dagster) == (TapeLimits(), LiveSettings(), DagsterLimits())
    assert shown.logs == LogSettings()
    assert (shown.branch, shown.tape, shown.home) == (bare.branch, bare.tape, tmp_path / ".lotus")
    assert shown.embedded
    assert shown.lake_root == str(tmp_path / ".lotus" / "lake")


def test_every_key_is_in_the_documented_file() -> None:
    import dataclasses
    import tomllib

    document = tomllib.loads((ROOT / "lotus.toml").read_text())
    for section in ("kernel", "score", "outcomes", "learning", "weave"):
        assert set(document[section]) == {f.name for f in dataclasses.fields(getattr(Manifest(), section))}
    assert set(document["tape"]) == {f.name for f in dataclasses.fields(TapeLimits)} | {"name"}
    assert set(document["live"]) == {f.name for f in dataclasses.fields(LiveSettings)}
    assert set(document["logs"]) == {f.name for f in dataclasses.fields(LogSettings)}
    assert set(document["dagster"]) == {f.name for f in dataclasses.fields(DagsterLimits)}


def test_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, 'branch = "file"\n[folders]\nhome = "from-file"\n[score]\nseed = 9\n[learning]\nalpha = 1\n')
    found = load_settings()
    assert (found.config, found.branch, found.home) == (path, "file", tmp_path / "from-file")
    assert (found.manifest.score.seed, found.manifest.learning.alpha) == (9, 1.0)
    monkeypatch.setenv("LOTUS_BRANCH", "env")
    monkeypatch.setenv("LOTUS_HOME", str(tmp_path / "env"))
    assert (load_settings().branch, load_settings().home) == ("env", tmp_path / "env")
    given = load_settings(home="arg", branch="arg", tape=None)
    assert (given.branch, given.home, given.tape) == ("arg", tmp_path / "arg", "live")


def test_the_environment_says_how_logs_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, '[logs]\nformat = "json"\n')
    assert load_settings().logs == LogSettings("json", "info")
    monkeypatch.setenv("LOTUS_LOG_FORMAT", "text")
    monkeypatch.setenv("LOTUS_LOG_LEVEL", "ERROR")
    assert load_settings().logs == LogSettings("text", "error")
    monkeypatch.setenv("LOTUS_LOG_LEVEL", "loud")
    with pytest.raises(ConfigError, match=r"logs.level is 'loud'; expected: one of debug, info, warning, error"):
        load_settings()


def test_universe_and_horizons(tmp_path: Path) -> None:
    write(
        tmp_path,
        '[universe]\nassets = [{ name = "kPEPE", sz_decimals = 0 }]\n[outcomes]\nhorizons_s = [30, 900]\n',
    )
    manifest = load_settings().manifest
    assert manifest.universe == (Asset("kPEPE", 0),)
    assert manifest.outcomes.horizons_s == (30, 900)


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_PG_DSN_SIG", "dbname=mine")
    with pytest.raises(ConfigError, match="databases dm, tr, vis, atlas, dagster have no address"):
        load_settings()
    monkeypatch.setenv("LOTUS_PG_DSN", "host=db")
    found = load_settings()
    assert (dict(found.dsns), found.server_dsn, found.embedded) == ({"sig": "dbname=mine"}, "host=db", False)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[scores]\n", "unknown key 'scores'"),
        ("[score]\nseeds = 1\n", "unknown key 'seeds'"),
        ("[score]\nseed = 1.5\n", "score.seed is 1.5"),
        ("[score]\nseed = true\n", "score.seed is true"),
        ("[tape]\nkeep = 1\n", "unknown key 'keep'"),
        ("[dagster]\nkeep_days = -1\n", "dagster.keep_days is -1"),
        ("[ledger]\ndsn_foo = 'x'\n", "ledger.dsn_foo"),
        ("[ledger]\ndsn = 5\n", "ledger.dsn is 5"),
        ("[universe]\nassets = []\n", "universe.assets"),
        ("[universe]\nassets = [{ name = 'BTC' }]\n", "universe.assets"),
        ("[universe]\nassets = [{ name = 'BTC', sz_decimals = 9 }]\n", "universe.assets"),
        ("[universe]\nassets = [{name='A',sz_decimals=1},{name='A',sz_decimals=1}]\n", "an asset twice"),
        ("branch = 'Main Street'\n", "branch name"),
        ("branch = '../up'\n", "branch name"),
        ("[score\n", "cannot be read"),
        ("[trading]\nexplore_knobs = 1.5", "trading.explore_knobs is 1.5; expected: 0 to 1"),
        ("[trading]\nexplore_policy = -0.1", "trading.explore_policy is -0.1; expected: 0 to 1"),
        ("[trading]\nexplore_entry = [0.2]", "explore_entry is .0.2.; expected"),
        ("[trading]\nexplore_entry = [0.9, 0.2]", "below 1"),
        ("[trading]\nexplore_entry = ['a', 0.2]", "share that joins"),
        ("[trading]\nstop_bps = nan", "trading.stop_bps is nan; expected: a finite number"),
        ("[trading]\nstop_bps = 0", "trading.stop_bps is 0.0; expected: 1 to 5000"),
        ("[trading]\nleverage = 500", "trading.leverage is 500; expected: 1 to 50"),
        ("[trading]\nbudget_usd = -1", "trading.budget_usd is -1.0; expected: 10 or more"),
        ("[trading]\nfee_tier = 7", "trading.fee_tier is 7; expected: 0 to 6"),
        ("[trading]\nsecond_latency_ms = 2500", "second_latency_ms is 2500; expected: below trading.expires_ms, 2000"),
        ("[safety]\nmax_drawdown_usd = inf", "safety.max_drawdown_usd is inf; expected: a finite number"),
        ("[safety]\npaper_days = 0", "safety.paper_days is 0; expected: 1 or more"),
        ("[weave]\ntrust_caps = [0.5, nan]", "weave.trust_caps is .0.5, nan.; expected: at most 4 logits from 0 to 3"),
        ("[weave]\ntrust_caps = ['a']", "weave.trust_caps is .'a'."),
        ("[weave]\ntrust_caps = [0.5, 0.4]", "each above the one before"),
        ("[weave]\ntrust_caps = [0.5, 0.5]", "each above the one before"),
        ("[weave]\ntrust_caps = [0.5, 300]", "weave.trust_caps is .0.5, 300."),
        ("[weave]\ntrust_floor = -0.1", "weave.trust_floor is -0.1; expected: 0 to below one half"),
        ("[weave]\nnight_gate = -1", "weave.night_gate is -1.0; expected: 0 to 2"),
        ("[safety]\nlate_s = 31.0", "safety.late_s is 31.0; expected: above 0, at most 30.0"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, named: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError, match=named):
        load_settings()


def test_missing_files_and_unknown_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        load_settings(config=tmp_path / "other.toml")
    with pytest.raises(ConfigError, match="unknown setting 'brunch'"):
        load_settings(brunch="x")


def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_PG_DSN", "not a dsn")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings()


def test_styles_are_tried_where_the_money_is_paper_and_at_the_venue_when_asked() -> None:
    wanted = TradingSettings()
    assert wanted.entry_shares == (0.2, 0.05)
    assert replace(wanted, venue="local").entry_shares == (0.2, 0.05)
    assert replace(wanted, venue="hyperliquid").entry_shares == (0.0, 0.0)
    assert replace(wanted, venue="hyperliquid", explore_entry=(0.1, 0.0)).entry_shares == (0.1, 0.0)


@pytest.mark.parametrize(
    ("name", "value"), [("trust_caps", (0.5, 1.0, 2.0, 2.5)), ("trust_floor", 0.1), ("night_gate", 0.2)]
)
def test_what_came_later_names_a_version_where_it_is_not_its_default(name: str, value: object) -> None:
    usual = Manifest()
    assert usual.version == "e396401fa6118c38fb24e901347b43ff"
    assert replace(usual, weave=replace(usual.weave, **{name: value})).version != usual.version


def test_a_maker_fee_of_its_own_names_another_version_of_the_manifest() -> None:
    usual = Manifest()
    assert "maker" not in repr(usual)
    assert replace(usual, outcomes=replace(usual.outcomes, maker_fee_bps=1.2)).version != usual.version
