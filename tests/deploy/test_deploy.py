"""`deploy/compose.yaml` and `Dockerfile`: as far as they can be tried without containers."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from fleet_bed import redis_server
from free_port import free_port

from lotus_resources.fleet.broker import celery_app
from lotus_store.config import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose.yaml"
RECORDED = {"tape": "live/*/*.zst.open", "shard": "shards/shard=0/*/*.zst.open"}  # begun by each service
LOTUS = [sys.executable, "-P", "-m", "lotus_cli"]


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """The services as Compose reads them, merged keys and all."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_file_is_one_of_compose() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_nothing_is_reached_from_another_machine(services: dict[str, dict[str, Any]]) -> None:
    assert {services[name]["network_mode"] for name in ("db", "broker")} == {"none"}
    for service in services.values():
        assert "ports" not in service
        assert "0.0.0.0" not in str(service)
    for name in services.keys() - {"db", "broker"}:
        assert services[name]["cap_drop"] == ["ALL"]
        assert "user=lotus" in services[name]["environment"]["LOTUS_PG_DSN"]


def test_the_image_gets_every_file_that_the_product_reads_and_no_home() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    assert lines[0] == "**", "nothing but what is named"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    tops = {path.split("/")[0] for path in tracked}
    taken = {top for top in tops if any(fnmatch(top, pattern) for pattern in allowed)}
    assert taken >= {"lotus", "lotus_cli", "lotus_console", "sql", "dagster.yaml", "workspace.yaml", "lotus.toml"}
    assert not taken & {"tests", "benchmarks", ".ci", "docs"}
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = [word for words in re.findall(r"^COPY (.+) \S+$", dockerfile, re.M) for word in words.split()]
    assert all((ROOT / name).exists() for name in copied)
    assert dockerfile.count("--require-hashes") == 2


@pytest.mark.process("`lotus up` and `lotus live` as the containers run them, beside a server behind a socket")
def test_the_commands_run_as_plain_processes_and_end_in_order_on_sigterm(
    settings: Settings, services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    toml = tmp_path / "lotus.toml"
    with served_venue() as venue:
        text = (ROOT / "lotus.toml").read_text().replace("wss://api.hyperliquid.xyz/ws", f"ws://{venue}/ws")
        toml.write_text(text.replace("https://api.hyperliquid.xyz", f"http://{venue}"))
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOTUS_CONFIG": str(toml),
            "LOTUS_HOME": str(settings.home), **_set(services["web"]), "LOTUS_PG_DSN": settings.server_dsn,
        }  # fmt: skip
        check = [*LOTUS, *services["web"]["healthcheck"]["test"][2:]]
        with started(_free_ports(services["web"]["command"]), environment, "console http://lotus-") as web:
            assert subprocess.run(check, env=environment, capture_output=True, timeout=60).returncode == 0
            with started(services["daemon"]["command"][1:], environment, "is up") as daemon:
                daemon.send_signal(signal.SIGTERM)
                assert daemon.wait(60) == 0
            for name in ("tape", "shard"):
                with started(_typed(services[name]["command"][1:]), environment, "recording ws://") as recorder:
                    until = time.monotonic() + 30.0
                    while not any(settings.tape_root.glob(RECORDED[name])):
                        assert time.monotonic() < until
                        time.sleep(0.1)
                    recorder.send_signal(signal.SIGTERM)
                    assert recorder.wait(60) == 0
            web.send_signal(signal.SIGTERM)
            assert web.wait(60) == 0


@pytest.mark.process("the broker and the workers as the containers run them")
def test_the_broker_and_workers_of_the_profile_run_behind_a_socket_and_end_in_order(
    settings: Settings, services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    socket, toml = tmp_path / "redis.sock", tmp_path / "lotus.toml"
    toml.write_text("[fleet]\nslots = 2\n" + (ROOT / "lotus.toml").read_text().replace('branch = "main"', "", 1))
    words = [str(socket) if word == "/data/redis.sock" else word for word in services["broker"]["command"]]
    ours = _set(services["workers"])
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOTUS_CONFIG": str(toml), "PYTHONUNBUFFERED": "1",
        "LOTUS_HOME": str(settings.home), **ours, "LOTUS_PG_DSN": settings.server_dsn,
        "LOTUS_FLEET_BROKER": ours["LOTUS_FLEET_BROKER"].replace("/run/broker/redis.sock", str(socket)),
    }  # fmt: skip
    with subprocess.Popen([redis_server(), *words[1:]], cwd=tmp_path, stdout=subprocess.DEVNULL) as broker:
        try:
            command = [*LOTUS, *services["workers"]["command"][1:]]
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as crew:
                assert crew.stdout is not None
                assert ["begins" in crew.stdout.readline() for _ in range(2)] == [True, True]
                app, until = celery_app(environment), time.monotonic() + 60.0
                while len(app.control.ping(timeout=1.0)) < 2:
                    assert time.monotonic() < until
                crew.send_signal(signal.SIGTERM)
                assert crew.wait(60) == 0
        finally:
            broker.kill()


def _typed(words: list[str]) -> list[str]:
    """Return words as Compose gives them where the shell sets none of their variables."""
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in words]


def _set(service: dict[str, Any]) -> dict[str, str]:
    """Return the variables that a service's containers have where the shell sets none."""
    found: dict[str, str | None] = service["environment"]
    return {name: _typed([value])[0] for name, value in found.items() if value is not None}


def _free_ports(command: list[str]) -> list[str]:
    """Return a service's command without its program and with any free ports."""
    return ["0" if word.isdigit() else word for word in command[1:]]


@contextmanager
def started(words: list[str], environment: dict[str, str], sign: str) -> Iterator["subprocess.Popen[str]"]:
    """Start `lotus` with words and wait for a sign on its standard error; it does not outlive the block."""
    with subprocess.Popen([*LOTUS, *words], env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any(sign in line for line in process.stderr), f"{words} never said {sign!r}"
            yield process
        finally:
            process.kill()


@contextmanager
def served_venue() -> Iterator[str]:
    """Serve a frozen tape on loopback as the venue would; yield host and port."""
    port = free_port()
    words = ["replay", str(ROOT / "fixtures" / "demo-7.zst"), "--port", str(port), "--speed", "2"]
    with started(words, dict(os.environ), "serving"):
        yield f"127.0.0.1:{port}"
