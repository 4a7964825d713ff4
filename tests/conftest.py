"""Fixtures for every test: one real server of each kind for the whole run, started when the first test asks for it.

A test that stops, kills or configures a server, or needs two, uses the context managers of `tests.servers` itself.
"""

import uuid
from collections.abc import Iterator

import hypothesis
import pytest

from tests.servers import InfluxServer, Server, VictoriaMetricsServer, influxd, mosquitto, nginx_v2, victoria_metrics

# The same examples in every run: a failure is the code's, never the day's.
hypothesis.settings.register_profile("twin", derandomize=True, max_examples=60, deadline=None, database=None)
hypothesis.settings.load_profile("twin")


@pytest.fixture(scope="session")
def broker() -> Iterator[Server]:
    """One mosquitto."""
    with mosquitto() as server:
        yield server


@pytest.fixture(scope="session")
def influx() -> Iterator[InfluxServer]:
    """One InfluxDB 1.6, to query, and to write to by its own path."""
    with influxd() as server:
        yield server


@pytest.fixture(scope="session")
def influx_v2(influx: InfluxServer) -> Iterator[Server]:
    """The same InfluxDB behind nginx, which adds `/api/v2/write`: what the product talks to."""
    with nginx_v2(influx) as server:
        yield server


@pytest.fixture(scope="session")
def victoria() -> Iterator[VictoriaMetricsServer]:
    """One VictoriaMetrics."""
    with victoria_metrics() as server:
        yield server


@pytest.fixture
def fresh_name() -> str:
    """A name that no other test uses, safe as database, topic level, client id and tag value."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def database(influx: InfluxServer, fresh_name: str) -> Iterator[str]:
    """The name of a new, empty database in `influx`."""
    influx.create_database(fresh_name)
    yield fresh_name
    influx.drop_database(fresh_name)
