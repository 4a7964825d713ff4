"""Proves the test servers themselves: what our tests rely on is shown here without our code."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from tests import processes
from tests.servers import (
    InfluxServer,
    PortTakenError,
    Server,
    ServerError,
    VictoriaMetricsServer,
    binary,
    free_port,
    influxd,
    mosquitto,
    nginx_v2,
    victoria_metrics,
)

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
TIME_NS = 1_764_000_000_123_456_789


def tool(broker: Server, name: str, *arguments: str) -> list[str]:
    """Run `mosquitto_pub` or `mosquitto_sub` against a broker; return the lines it printed."""
    command = [binary(name, "mosquitto-clients"), "-h", broker.host, "-p", str(broker.port), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=20).stdout.splitlines()


def subscribe(broker: Server, name: str) -> None:
    """Leave a persistent session with one subscription behind, so that nothing published later is missed."""
    tool(broker, "mosquitto_sub", "-i", name, "-c", "-q", "1", "-t", f"{name}/#", "-E")


def publish(broker: Server, name: str, *payloads: str) -> None:
    for payload in payloads:
        tool(broker, "mosquitto_pub", "-q", "1", "-t", f"{name}/voltage", "-m", payload)


def receive(broker: Server, name: str, count: int) -> list[str]:
    arguments = ("-i", name, "-c", "-q", "1", "-t", f"{name}/#", "-C", str(count), "-W", "10")
    return tool(broker, "mosquitto_sub", *arguments)


def write(server: Server, bucket: str, *lines: str, precision: str = "ns", gzip: bool = False) -> None:
    """Write line protocol with the client and the path that the product uses."""

    async def session() -> None:
        async with InfluxDBClientAsync(server.url, token="secret", org="-", enable_gzip=gzip) as client:
            api = client.write_api()
            assert await api.write(bucket, record=list(lines), write_precision=precision)  # type: ignore[arg-type]

    asyncio.run(session())


def rows(influx: InfluxServer, database: str, influxql: str) -> list[list[object]]:
    series = influx.query(influxql, database)["results"][0].get("series", [])
    return [row for one in series for row in one["values"]]


def test_mosquitto_delivers(broker: Server, fresh_name: str) -> None:
    subscribe(broker, fresh_name)
    publish(broker, fresh_name, "4.12", "4.13", "4.14")
    assert receive(broker, fresh_name, 3) == ["4.12", "4.13", "4.14"]


def test_mosquitto_keeps_sessions_over_a_clean_stop(fresh_name: str, tmp_path: Path) -> None:
    with mosquitto(persistence=tmp_path) as broker:
        subscribe(broker, fresh_name)
        publish(broker, fresh_name, "4.12")
        port = broker.port
        broker.stop()
        broker.start()
        assert receive(broker, fresh_name, 1) == ["4.12"]
        publish(broker, fresh_name, "4.13")
    with mosquitto(persistence=tmp_path, port=port) as broker:
        assert broker.port == port
        assert receive(broker, fresh_name, 1) == ["4.13"]


def test_mosquitto_comes_back_on_its_port_after_a_kill(fresh_name: str) -> None:
    with mosquitto() as broker:
        before = broker.pid
        broker.kill()
        assert not broker.running
        with pytest.raises(subprocess.CalledProcessError):
            publish(broker, fresh_name, "4.12")
        broker.start()
        assert broker.pid != before
        subscribe(broker, fresh_name)
        publish(broker, fresh_name, "4.13")
        assert receive(broker, fresh_name, 1) == ["4.13"]
    assert not broker.running


def test_mosquitto_takes_more_configuration(fresh_name: str) -> None:
    with mosquitto("max_packet_size 100\n") as broker:
        subscribe(broker, fresh_name)
        publish(broker, fresh_name, "4.12")
        with pytest.raises(subprocess.CalledProcessError):
            publish(broker, fresh_name, "4" * 200)
        assert receive(broker, fresh_name, 1) == ["4.12"]


@pytest.mark.parametrize("gzip", [False, True])
def test_influxdb_takes_the_v2_path_behind_nginx(
    influx: InfluxServer, influx_v2: Server, database: str, gzip: bool
) -> None:
    write(influx_v2, database, f"pot,pot=A001 voltage=4.12 {TIME_NS}", gzip=gzip)
    assert rows(influx, database, "SELECT voltage FROM pot") == [[TIME_NS, 4.12]]


@pytest.mark.parametrize(("precision", "unit_ns"), [("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9)])
def test_nginx_translates_the_precision(
    influx: InfluxServer, influx_v2: Server, database: str, precision: str, unit_ns: int
) -> None:
    write(influx_v2, database, f"pot voltage=4.12 {TIME_NS // unit_ns}", precision=precision)
    assert rows(influx, database, "SELECT voltage FROM pot") == [[TIME_NS // unit_ns * unit_ns, 4.12]]


def test_nginx_splits_database_and_retention_policy(influx: InfluxServer, influx_v2: Server, database: str) -> None:
    influx.query(f'CREATE RETENTION POLICY "year" ON "{database}" DURATION 0s REPLICATION 1')
    write(influx_v2, f"{database}/year", f"pot voltage=4.12 {TIME_NS}")
    assert rows(influx, database, "SELECT voltage FROM pot") == []
    assert rows(influx, database, "SELECT voltage FROM year.pot") == [[TIME_NS, 4.12]]


def test_nginx_passes_query_and_ping(influx_v2: Server) -> None:
    assert influx_v2.request("GET", "/ping")[0] == 204
    status, body = influx_v2.request("GET", "/query?q=SHOW+DATABASES")
    assert status == 200
    assert b"databases" in body


def test_influxdb_says_what_is_wrong_with_a_line(influx: InfluxServer, influx_v2: Server, database: str) -> None:
    with pytest.raises(ApiException) as caught:
        write(influx_v2, database, f"pot voltage=4.12 {TIME_NS}", f"pot voltage=abc {TIME_NS + 1}")
    assert caught.value.status == 400
    assert "unable to parse" in caught.value.body.decode()
    assert "voltage=abc" in caught.value.body.decode()


def test_influxdb_query_errors_are_raised(influx: InfluxServer) -> None:
    with pytest.raises(ServerError, match="error parsing query"):
        influx.query("SELECT FROM WHERE")
    with pytest.raises(ServerError, match="database not found"):
        influx.query("SELECT * FROM pot", "no_such_database")


def test_influxdb_keeps_what_it_acknowledged_over_a_kill() -> None:
    with influxd() as influx, nginx_v2(influx) as front:
        influx.create_database("plant")
        write(front, "plant", f"pot voltage=4.12 {TIME_NS}")
        influx.kill()
        with pytest.raises(ApiException) as caught:
            write(front, "plant", f"pot voltage=4.13 {TIME_NS + 1}")
        assert caught.value.status == 502
        influx.start()
        write(front, "plant", f"pot voltage=4.14 {TIME_NS + 2}")
        assert rows(influx, "plant", "SELECT voltage FROM pot") == [[TIME_NS, 4.12], [TIME_NS + 2, 4.14]]


def test_victoria_metrics_takes_the_same_write(victoria: VictoriaMetricsServer, fresh_name: str) -> None:
    write(victoria, "ignored", f"pot,pot={fresh_name} voltage=4.12 {TIME_NS}")
    victoria.flush()
    (series,) = victoria.export(f'pot_voltage{{pot="{fresh_name}"}}')
    assert series["values"] == [4.12]
    assert series["timestamps"] == [TIME_NS // 10**6]


def test_a_missing_binary_names_its_package() -> None:
    with pytest.raises(ServerError, match=r"needs the Debian package mosquitto-x; run \./dev test"):
        binary("mosquitto-x", "mosquitto-x")


def test_a_failed_start_shows_what_the_server_said() -> None:
    with pytest.raises(ServerError, match="Unknown configuration variable"), mosquitto("no_such_setting 1\n"):
        pass


def test_a_taken_port_is_an_error_where_the_port_was_asked_for(broker: Server) -> None:
    with pytest.raises(PortTakenError, match="already in use"), mosquitto(port=broker.port):
        pass


@pytest.mark.parametrize(
    "serve",
    [lambda _: mosquitto(), lambda _: influxd(), lambda _: victoria_metrics(), nginx_v2],
    ids=["mosquitto", "influxd", "victoria-metrics", "nginx"],
)
def test_a_port_that_was_taken_meanwhile_is_replaced(
    serve: Callable[[Server], AbstractContextManager[Server]], broker: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([broker.port, free_port()])
    monkeypatch.setattr(processes, "free_port", lambda: next(ports))
    with serve(broker) as server:
        assert server.port != broker.port


def test_servers_start_from_the_main_thread_only(broker: Server) -> None:
    caught: list[BaseException] = []

    def start() -> None:
        try:
            broker.start()
        except ServerError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert [str(error) for error in caught] == ["mosquitto: start servers from the main thread"]


def ended(process: psutil.Process) -> bool:
    """Say whether a process has ended; where process 1 collects nobody's children, it stays as a zombie."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_servers_die_with_the_test_run(tmp_path: Path) -> None:
    script = "from tests.servers import mosquitto\nwith mosquitto() as s: print(s.pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        server = psutil.Process(int(run.stdout.readline()))
        assert server.name() == "mosquitto"
        run.kill()
    deadline = time.monotonic() + 10
    while not ended(server):
        assert time.monotonic() < deadline
        time.sleep(0.01)
