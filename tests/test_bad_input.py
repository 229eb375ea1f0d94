"""Bad input at every door of the command line: told in words with exit code 3, or counted; nothing stored is lost.

The doors are the user's, behind `lotus_cli.main`: import, verify, db, backfill, live. What each part does with one
fault is tested beside it.
"""

import asyncio
import gzip
import json
import queue
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from warm import let_go

from lotus.manifest import Asset
from lotus.microtape.frames.spec import CROSSED
from lotus.simulation.spec import BTC, WorldSpec
from lotus.simulation.world import World
from lotus_cli.main import main
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.store import TapeStore
from lotus_venues.replay_server import ReplayPlan, ReplayServer

pytestmark = pytest.mark.process("commands in homes of their own")

WORLD = WorldSpec("demo", seed=7, days=3, assets=(BTC,), sessions=(("08:00", "08:07"),))
D1, D2, D3 = (WORLD.day(i) for i in range(3))
TOML = "[outcomes]\nhorizons_s = [30, 300]\n"
NO_SERVER = "host=/nonexistent user=x dbname=y connect_timeout=2"


@dataclass(frozen=True, slots=True)
class Place:
    """A home that the command line finds through the environment, with the days of a small world as recordings."""

    home: Path
    recordings: dict[str, Path]
    databases: Databases
    monkeypatch: pytest.MonkeyPatch

    @property
    def store(self) -> TapeStore:
        """The tape."""
        return TapeStore(self.home, "t")

    @property
    def lake(self) -> Lake:
        """The lake."""
        return Lake(self.home / "lake")

    def segment(self, day: str) -> Path:
        """Return the file of a day's only segment."""
        (meta,) = self.store.segments(day)
        return self.store.folder / day / meta.name

    def commits(self) -> dict[tuple[str, str], str]:
        """Return the content hashes of what is committed, by day and stage."""
        rows = self.query("SELECT day, stage, content_hash FROM day_commits")
        return {(str(day), str(stage)): str(digest) for day, stage, digest in rows}

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement in the sig database."""
        with self.databases.owner("sig") as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The lines of each day."""
    world = World(WORLD)
    return {day: b"".join(text for _, text in world.day_pieces(i)) for i, day in enumerate((D1, D2, D3))}


@pytest.fixture
def place(
    settings: Settings, databases: Databases, days: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """An empty home, its address in the environment, and one recording per day."""
    config = tmp_path / "lotus.toml"
    config.write_text(TOML)
    names = {"HOME": settings.home, "PG_DSN": settings.server_dsn, "CONFIG": config, "TAPE": "t", "BRANCH": "main"}
    for name, value in names.items():
        monkeypatch.setenv(f"LOTUS_{name}", str(value))
    for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "LOTUS_DAGSTER_PG"):  # a backfill sets them; undone after
        monkeypatch.setenv(name, "")
    recordings = {}
    for day, lines in days.items():
        recordings[day] = tmp_path / f"{day}.gz"
        recordings[day].write_bytes(gzip.compress(lines, 1))
    return Place(settings.home, recordings, databases, monkeypatch)


def lotus(*words: object) -> Result:
    """Run a command that must do its work."""
    done = CliRunner().invoke(main, [str(w) for w in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def refused(*words: object, names: str) -> str:
    """Run a command that must end with exit code 3 and an explanation naming `names`; return what it said."""
    done = CliRunner().invoke(main, [str(w) for w in words], catch_exceptions=False)
    assert done.exit_code == 3, done.output
    assert "lotus: " in done.stderr
    assert "expected: " in done.stderr
    assert names in done.stderr, done.stderr
    assert "Traceback" not in done.output
    return done.stderr


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != ".lock"]
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files}


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes: what a full disk does to a writer, at a chosen place."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.process("a backfill through Dagster")
def test_a_truncated_segment_stops_its_day_and_nothing_before(place: Place) -> None:
    lotus("import", *place.recordings.values())
    lotus("backfill", "--from", D1, "--to", D1)
    before, path = place.commits(), place.segment(D2)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "likely cause: " in refused("verify", "tape", "--day", D2, names=path.name)
    assert "likely cause: " in refused("verify", "parity", path, names=path.name)
    refused("backfill", "--from", D1, "--to", D2, names="raw_tape")
    assert place.commits() == before
    path.write_bytes(whole)
    lotus("backfill", "--from", D1, "--to", D2)
    assert {key: place.commits()[key] for key in before} == before
    assert len(place.commits()) == 2 * len(before)


def test_a_backfill_names_the_truncated_segment(place: Place) -> None:
    lotus("import", place.recordings[D1])
    path = place.segment(D1)
    path.write_bytes(path.read_bytes()[:-1000])
    assert "truncated" in refused("backfill", "--from", D1, "--to", D1, names=path.name)


def test_a_truncated_recording_leaves_the_tape_as_it_was(place: Place) -> None:
    lotus("import", place.recordings[D1])
    before = tree(place.store.folder)
    cut = place.recordings[D2]
    cut.write_bytes(cut.read_bytes()[:-1000])
    assert "likely cause: " in refused("import", cut, names=cut.name)
    assert "likely cause: " in refused("live", "--replay", cut, names=cut.name)
    other = place.recordings[D1]
    other.write_bytes(gzip.compress(gzip.decompress(other.read_bytes())[:-300].rpartition(b"\n")[0] + b"\n"))
    assert "likely cause: " in refused("import", other, names="other lines")
    assert tree(place.store.folder) == before


def odd_lines(recv_ns: int) -> list[tuple[int, bytes, str]]:
    """Return (stamp, frame, reason it is put aside for)."""
    ms = recv_ns // 1_000_000

    def bbo(bid: str, ask: str, size: str = "1", time_ms: int = ms, coin: str = "BTC") -> bytes:
        sides = [{"px": px, "sz": size, "n": 1} for px in (bid, ask)]
        return json.dumps({"channel": "bbo", "data": {"coin": coin, "time": time_ms, "bbo": sides}}).encode()

    return [
        (recv_ns, b'{"channel":"bbo","data":{"coin":"BTC","ti', "bad_json"),
        (recv_ns, b"<html>502 Bad Gateway</html>", "bad_json"),
        (recv_ns, b'{"channel":"bbo","data":["BTC"]}', "bad_form"),
        (recv_ns, bbo("100000", "100001", coin="DOGE"), "unknown_coin"),
        (recv_ns, bbo("100002", "100001"), "crossed"),
        (recv_ns, bbo("NaN", "100001"), "not_a_number"),
        (recv_ns, bbo("100000", "1e400"), "huge_number"),
        (recv_ns, bbo("100000", "100001", size="9" * 40), "huge_number"),
        (recv_ns, bbo("100000", "100001", size="-1"), "negative"),
        (recv_ns, bbo("100000", "100001", time_ms=ms - 3_600_000), "time_back"),
        (recv_ns, bbo("100000", "100001", time_ms=ms + 3_600_000), "time_range"),
        (recv_ns - 10**12, bbo("100000", "100001"), "recv_back"),
    ]


@pytest.mark.process("a backfill through Dagster")
def test_bad_lines_are_counted_and_change_no_frame(place: Place, days: dict[str, bytes]) -> None:
    lines = days[D1].split(b"\n")[:-1]
    middle = len(lines) // 2
    odd = odd_lines(int(lines[middle].split(b" ")[0]))
    text = [*lines[: middle + 1], *(b"%d %b" % (ns, frame) for ns, frame, _ in odd), *lines[middle + 1 :]]
    place.store.write_header(TapeHeader("t", "recorded", (HeaderAsset("BTC", 5),), (), "a recorder"))
    with place.store.writer() as writer:
        for line in text:
            writer.append(int(line[:19]), line[20:])
    lotus("import", "--tape", "clean", place.recordings[D1])
    reasons: dict[str, int] = {}
    for _, _, reason in odd:
        reasons[reason] = reasons.get(reason, 0) + 1
    told = json.loads(lotus("verify", "tape", "--json").stdout)
    assert told["quarantine"] == {"rows": len(odd), "reasons": reasons}
    parity = json.loads(lotus("verify", "parity", "--json", place.segment(D1)).stdout)
    assert parity["parity"] is True
    assert parity["quarantined"] == len(odd)
    lotus("backfill", "--from", D1, "--to", D1)
    lotus("backfill", "--from", D1, "--to", D1, "--tape", "clean", "--branch", "clean")
    rows = place.query("SELECT seq, kind, sample FROM quarantine WHERE tape = 't' ORDER BY seq")
    assert [(seq, kind) for seq, kind, _ in rows] == [(middle + 1 + k, why) for k, (_, _, why) in enumerate(odd)]
    assert all(sample for _, _, sample in rows)
    frames, clean = (place.lake.read("microtape_frames", f"tape.{t}", D1, "BTC") for t in ("t", "clean"))
    assert len(frames["frame_idx"]) > 2_000
    told = frames["quality"] ^ clean["quality"]
    assert (np.flatnonzero(told).size, told.max()) == (1, CROSSED), "the crossed quote is told by its frame"
    for name in frames:
        if name not in ("close_seq", "quality"):
            np.testing.assert_array_equal(frames[name], clean[name], name)


def test_a_coin_that_the_venue_does_not_list_is_refused_before_anything_is_recorded(place: Place) -> None:
    place.recordings[D1].with_name("lotus.toml").write_text(
        TOML + '[universe]\nassets = [{ name = "BTC", sz_decimals = 5 }, { name = "NOPE", sz_decimals = 1 }]\n'
    )
    urls: queue.Queue[str] = queue.Queue()
    end = threading.Event()

    async def serve() -> None:
        async with ReplayServer((Asset("BTC", 5),), [], ReplayPlan()) as server:
            urls.put(server.url)
            while not end.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        url = urls.get(timeout=10)
        for words in (["record", "--url", url, "--seconds", 1], ["live", "--url", url]):
            refused(*words, names="NOPE")
    finally:
        end.set()
        thread.join()
    assert not place.store.exists()


@pytest.mark.process("a backfill through Dagster")
def test_a_day_without_its_priors_names_what_to_materialise(place: Place) -> None:
    lotus("import", *place.recordings.values())
    lotus("backfill", "--from", D1, "--to", D1)
    before = place.commits()
    said = refused("backfill", "--from", D3, "--to", D3, names=f"active_priors[{D2}]")
    assert "likely cause: " in said
    assert [key for key in place.commits() if key[0] == D3 and key[1].startswith("signal")] == []
    held = place.query("DELETE FROM priors_in_force RETURNING *")
    refused("backfill", "--from", D2, "--to", D2, names=D1)
    assert {key: place.commits()[key] for key in before} == before
    with place.databases.connect("sig") as connection:
        connection.execute("INSERT INTO priors_in_force VALUES (%s, %s, %s, %s, %s, %s)", held[0])
    lotus("backfill", "--from", D1, "--to", D3)
    assert {key: place.commits()[key] for key in before} == before
    assert place.query("SELECT count(*) FROM priors_in_force") == [(3,)]
    assert place.query("SELECT count(*) = count(DISTINCT dedupe_key) FROM sig_outbox") == [(True,)]


WRONG = {
    "another application's": ("dagster", "CREATE TABLE customers (a int)", "not a Lotus database"),
    "another module's": ("dm", "SELECT 1", "this is the Lotus database 'dm'"),
    "a newer version's": ("sig", "INSERT INTO lotus_schema VALUES (99, 'sig', 'x')", "a newer Lotus"),
    "an altered one": ("sig", "ALTER TABLE lessons DROP COLUMN reason", "differs from sql/sig/schema.sql"),
}


@pytest.mark.parametrize("which", WRONG)
def test_a_wrong_database_is_refused_untouched(place: Place, which: str) -> None:
    template, statement, names = WRONG[which]
    lotus("import", place.recordings[D1])
    name = sql.Identifier(f"wrong_{sha256(which.encode()).hexdigest()[:8]}")
    let_go()
    with place.databases.owner("sig", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        copied = sql.Identifier("template0" if template == "dagster" else f"lotus_{template}")
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, copied))
    dsn = place.databases.owner_dsn("sig").replace("lotus_sig", name.as_string(None).strip('"'))
    with psycopg.connect(dsn) as connection:
        connection.execute(statement)  # type: ignore[call-overload]
    place.monkeypatch.setenv("LOTUS_PG_DSN_SIG", dsn)
    before, held = tree(place.store.folder), _contents(dsn)
    assert "likely cause: " in refused("db", "check", names=names)
    if which != "an altered one":  # columns are compared by the check alone
        refused("backfill", "--from", D1, "--to", D1, names=names)
        refused("live", "--replay", place.segment(D1), names=names)
    assert (tree(place.store.folder), _contents(dsn)) == (before, held)


def _contents(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        count = "SELECT count(*) FROM {}"
        return [(t, connection.execute(sql.SQL(count).format(sql.Identifier(t))).fetchone()) for (t,) in tables]


def test_no_server_is_told_and_the_tape_stays(place: Place) -> None:
    lotus("import", place.recordings[D1])
    before = tree(place.store.folder)
    place.monkeypatch.setenv("LOTUS_PG_DSN", NO_SERVER)
    commands = (["db", "check"], ["backfill", "--from", D1, "--to", D1], ["live", "--replay", place.segment(D1)])
    for words in commands:
        assert "likely cause: the server is down" in refused(*words, names="server")
    assert tree(place.store.folder) == before


@pytest.mark.process("a backfill through Dagster")
def test_coins_of_any_name_stay_in_the_lake(place: Place, days: dict[str, bytes], tmp_path: Path) -> None:
    deep = "x/" + "../" * 7 + "escaped/deep"
    coins = ("PURR/USDC", "../../evil", "..", deep, f"{tmp_path}/escaped", "A" * 300, "ETH ")
    first = b"".join(line for line in days[D1].splitlines(keepends=True) if b'"bbo"' in line and b'"BTC"' in line)
    lines = [line.replace(b'"BTC"', json.dumps(coin).encode()) for line in first.splitlines()[:200] for coin in coins]
    path = tmp_path / "hostile.txt"
    path.write_bytes(days[D1] + b"\n".join(lines) + b"\n")
    around = {p for p in tmp_path.parent.rglob("*") if place.home not in (p, *p.parents)}
    done = CliRunner().invoke(main, ["import", str(path)], catch_exceptions=False)
    assert (done.exit_code, "expected: at most 1%" in done.output) == (4, True), done.output
    lotus("backfill", "--from", D1, "--to", D1, "--branch", "any")
    assert place.lake.symbols("microtape_frames", "tape.t", D1) == sorted(["BTC", *coins[:5]])
    assert place.lake.read("microtape_frames", "tape.t", D1, "PURR/USDC")
    parts = {p.parent.parent.name for p in (place.home / "lake").rglob("symbol=*/*")}
    assert parts == {f"day={D1}"}
    assert {p for p in tmp_path.parent.rglob("*") if place.home not in (p, *p.parents)} == around


@pytest.mark.parametrize("run", ["../../../escaped", "a/b", "%2e"])
def test_a_run_of_any_name_stays_in_its_home(place: Place, tmp_path: Path, run: str) -> None:
    around = {p for p in tmp_path.parent.rglob("*") if place.home not in (p, *p.parents)}
    lotus("live", "--replay", place.recordings[D1], "--run-id", run)
    assert {p for p in tmp_path.parent.rglob("*") if place.home not in (p, *p.parents)} == around
    assert [t["tape"] for t in json.loads(lotus("tape", "list", "--json").stdout)["tapes"]] == [run]
    refused("live", "--replay", place.recordings[D1], "--run-id", "a\nb", names="the name of a run")


@pytest.mark.process("backfills through Dagster")
def test_an_unreadable_lake_file_is_made_again(place: Place) -> None:
    lotus("import", place.recordings[D1])
    lotus("backfill", "--from", D1, "--to", D1)
    before, path = place.commits(), Path(place.lake.path("microtape_frames", "tape.t", D1, "BTC"))
    whole = path.read_bytes()
    for damaged in (whole[:-100], None, b"x" * 99):
        path.unlink() if damaged is None else path.write_bytes(damaged)
        lotus("backfill", "--from", D1, "--to", D1)
        assert place.commits() == before
        assert place.lake.verify("microtape_frames", "tape.t", D1, "BTC") == place.lake.hash_of(
            "microtape_frames", "tape.t", D1, "BTC"
        )


@pytest.mark.process("backfills through Dagster")
def test_rotten_bytes_inside_a_lake_file_are_told_and_never_used(place: Place) -> None:
    lotus("import", place.recordings[D1], place.recordings[D2])
    lotus("backfill", "--from", D1, "--to", D1)
    before, path = place.commits(), Path(place.lake.path("signal_events", "main", D1))
    rotten = bytearray(path.read_bytes())
    for at in range(2_000, len(rotten) // 2, 499):
        rotten[at] ^= 0xFF
    path.write_bytes(rotten)
    assert "likely cause: " in refused("backfill", "--from", D2, "--to", D2, names=path.name)
    assert {key: place.commits()[key] for key in before} == before
    lotus("backfill", "--from", D1, "--to", D1, "--force")
    lotus("backfill", "--from", D1, "--to", D2)
    assert {key: place.commits()[key] for key in before} == before


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[learning]\nalhpa = 0.5\n", "unknown key 'alhpa'"),
        ("[lerning]\nalpha = 0.5\n", "unknown key 'lerning'"),
        ("[score]\nepsilon = 'small'\n", 'score.epsilon is "small"'),
        ("[score\n", "lotus.toml cannot be read"),
    ],
)
def test_a_mistake_in_the_settings_stops_every_command_before_it_does_anything(
    place: Place, text: str, names: str
) -> None:
    place.recordings[D1].with_name("lotus.toml").write_text(text)
    backfill = ["backfill", "--from", D1, "--to", D1]
    live = ["live", "--replay", place.recordings[D1]]
    verify = [["verify", "tape"], ["verify", "parity", place.recordings[D1]], ["verify", "ledger"], ["db", "check"]]
    for words in (["import", place.recordings[D1]], backfill, live, ["record"], *verify, ["doctor"]):
        refused(*words, names=names)
    assert not place.home.exists()


def test_a_disk_that_fills_up_under_the_recorder_loses_nothing(place: Place) -> None:
    recording = place.recordings[D1]
    calm = json.loads(lotus("live", "--replay", recording, "--run-id", "calm", "--json").stdout)
    with largest_file(60_000):
        refused("live", "--replay", recording, "--run-id", "full", names="recording stopped")
    folder = place.home / "tape" / "full"
    kept = [p.read_bytes() for p in folder.rglob("*.open")]
    assert len(kept) == 1
    assert len(kept[0]) > 0
    again = json.loads(lotus("live", "--replay", recording, "--run-id", "full", "--json").stdout)
    assert again["rebuilt"] > 0
    assert again["rebuilt"] + again["lines"] == calm["lines"]
    assert again["events_hash"] == calm["events_hash"]
    assert not list(folder.rglob("*.open"))
    count = "SELECT count(*), count(DISTINCT event_id) FROM live_events WHERE run_id = "
    assert place.query(count + "'full'") == place.query(count + "'calm'")


def test_below_the_reserve_of_the_disk_nothing_is_started(place: Place) -> None:
    lotus("live", "--replay", place.recordings[D1], "--run-id", "run")
    before = tree(place.home / "tape" / "run")
    place.recordings[D1].with_name("lotus.toml").write_text(TOML + "[tape]\nmin_free_gb = 1e9\n")
    said = refused("live", "--replay", place.recordings[D1], "--run-id", "run", names="recording stopped")
    assert "likely cause: a full disk" in said
    assert tree(place.home / "tape" / "run") == before


@pytest.mark.process("backfills through Dagster")
def test_a_full_disk_stops_a_backfill_and_the_next_one_goes_on(place: Place) -> None:
    lotus("import", place.recordings[D1])
    with largest_file(100_000):
        refused("backfill", "--from", D1, "--to", D1, names="cannot be written")
    committed = place.commits()
    assert (D1, "raw_tape") in committed
    assert (D1, "microtape_frames") not in committed
    assert not [p for p in place.home.rglob("*.tmp") if p.is_file()]
    lotus("backfill", "--from", D1, "--to", D1)
    assert place.commits().items() >= committed.items()
