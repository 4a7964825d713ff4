"""Real servers for the tests: plain processes on free loopback ports with their own temporary data.

Each context manager starts one server, waits until that very process answers, yields it, and stops it by process id.
A test can also kill it and start it again on its port and data: outages are what many tests are about.
"""

import json
import urllib.parse
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.processes import HOST, PortTakenError, Server, ServerError, binary, free_port, serving

__all__ = [
    "HOST",
    "InfluxServer",
    "PortTakenError",
    "Server",
    "ServerError",
    "VictoriaMetricsServer",
    "alertmanager",
    "binary",
    "free_port",
    "influxd",
    "mosquitto",
    "nginx_v2",
    "victoria_metrics",
]


class InfluxServer(Server):
    """InfluxDB 1.x."""

    def query(self, influxql: str, database: str = "") -> dict[str, Any]:
        """Run an InfluxQL statement; return the decoded answer, with times in ns."""
        arguments = urllib.parse.urlencode({"q": influxql, "db": database, "epoch": "ns"})
        status, body = self.request("POST", f"/query?{arguments}")
        answer: dict[str, Any] = json.loads(body)
        errors = [part["error"] for part in (answer, *answer.get("results", ())) if "error" in part]
        if status != 200 or errors:
            raise ServerError(f"influxd answered {status} to {influxql!r}: {'; '.join(errors)}")
        return answer

    def create_database(self, name: str) -> None:
        """Create a database."""
        self.query(f'CREATE DATABASE "{name}"')

    def drop_database(self, name: str) -> None:
        """Drop a database."""
        self.query(f'DROP DATABASE "{name}"')


class VictoriaMetricsServer(Server):
    """VictoriaMetrics, single node."""

    def flush(self) -> None:
        """Make what was written visible to queries at once (by itself it takes up to 10 s)."""
        status, body = self.request("GET", "/internal/force_flush")
        if status != 200:
            raise ServerError(f"victoria-metrics answered {status} to force_flush: {body.decode()}")

    def export(self, selector: str) -> list[dict[str, Any]]:
        """Return every series that matches, each with `metric`, `values` and `timestamps` (ms)."""
        status, body = self.request("GET", "/api/v1/export?" + urllib.parse.urlencode({"match[]": selector}))
        if status != 200:
            raise ServerError(f"victoria-metrics answered {status} to the export of {selector}: {body.decode()}")
        return [json.loads(line) for line in body.splitlines()]


MOSQUITTO_CONFIG = """
listener {port} {host}
allow_anonymous true
# Without this line mosquitto, started by root, becomes a user who may not write the temporary directory.
user root
persistence true
persistence_location {data}/
max_inflight_messages 1000
max_queued_messages 1000000
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
connection_messages false
"""


def mosquitto(
    config: str = "", *, persistence: Path | None = None, port: int | None = None
) -> AbstractContextManager[Server]:
    """Run a mosquitto broker; `config` adds lines to its file, `persistence` and `port` replace the temporary ones."""

    def build(port: int, directory: Path) -> Server:
        data = persistence or directory / "data"
        data.mkdir(exist_ok=True)
        file = directory / "mosquitto.conf"
        file.write_text(MOSQUITTO_CONFIG.format(port=port, host=HOST, data=data) + config)
        command = (binary("mosquitto", "mosquitto"), "-c", str(file))
        return Server(name="mosquitto", port=port, command=command, directory=directory)

    return serving("mosquitto", build, port)


INFLUXD_CONFIG = """
reporting-disabled = true
bind-address = "{host}:{rpc_port}"
[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "{host}:{port}"
  log-enabled = false
  max-body-size = 0
[logging]
  level = "warn"
  suppress-logo = true
"""


def influxd() -> AbstractContextManager[InfluxServer]:
    """Run InfluxDB 1.x."""

    def build(port: int, directory: Path) -> InfluxServer:
        file = directory / "influxdb.conf"
        file.write_text(INFLUXD_CONFIG.format(host=HOST, port=port, rpc_port=free_port(), directory=directory))
        command = (binary("influxd", "influxdb"), "run", "-config", str(file))
        return InfluxServer(name="influxd", port=port, command=command, directory=directory, ping_path="/ping")

    return serving("influxd", build)


NGINX_CONFIG = """
daemon off;
master_process off;  # one process, so that its id is the server's
pid {directory}/pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_max_body_size 512m;
    client_body_buffer_size 8m;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    map $arg_precision $v1_precision {{ default n; us u; ms ms; s s; }}
    # A bucket is a database, or database/retention policy.
    map $arg_bucket $v1_target {{
        default "db=$arg_bucket";
        "~^(?<database>.+?)(?:/|%2[Ff])(?<policy>.+)$" "db=$database&rp=$policy";
    }}
    upstream influxd {{ server {host}:{influx_port}; keepalive 16; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Authorization "";  # InfluxDB 1.6 does not know the scheme `Token` and refuses the request
    server {{
        listen {host}:{port};
        location = /nginx-ready {{ return 204; }}
        location = /api/v2/write {{
            rewrite ^ /write?$v1_target&precision=$v1_precision? break;
            proxy_pass http://influxd;
        }}
        location / {{ proxy_pass http://influxd; }}
    }}
    {tls}
}}
"""


def nginx_v2(influx: Server, tls: str = "") -> AbstractContextManager[Server]:
    """Run nginx before an InfluxDB 1.6: it gives it the write path that InfluxDB 1.8, 2 and 3 share.

    `tls`: directives of a second server, which speaks TLS on the port that they name and passes everything on.
    """

    def build(port: int, directory: Path) -> Server:
        file = directory / "nginx.conf"
        second = f"server {{ {tls} location / {{ proxy_pass http://{HOST}:{port}; }} }}" if tls else ""
        ports = {"port": port, "influx_port": influx.port}
        file.write_text(NGINX_CONFIG.format(host=HOST, directory=directory, tls=second, **ports))
        command = (binary("nginx", "nginx-light"), "-p", str(directory), "-c", str(file), "-e", "stderr")
        return Server(name="nginx", port=port, command=command, directory=directory, ping_path="/nginx-ready")

    return serving("nginx", build)


def victoria_metrics() -> AbstractContextManager[VictoriaMetricsServer]:
    """Run VictoriaMetrics; it keeps 36 months, since data outside its retention is dropped without a word."""

    def build(port: int, directory: Path) -> VictoriaMetricsServer:
        command = (
            binary("victoria-metrics", "victoria-metrics"),
            f"-httpListenAddr={HOST}:{port}",
            f"-storageDataPath={directory}/data",
            "-retentionPeriod=36",
            "-search.latencyOffset=0s",
            "-search.disableCache",  # its cache hides data that arrives late
            "-loggerLevel=WARN",
        )
        return VictoriaMetricsServer(
            name="victoria-metrics", port=port, command=command, directory=directory, ping_path="/health"
        )

    return serving("victoria-metrics", build)


ALERTMANAGER_CONFIG = """
route:
  receiver: hook
  group_by: [alertname, unit]
  group_wait: 10ms
  group_interval: 50ms
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs:
      - url: {hook}
        send_resolved: true
"""


def alertmanager(hook: str) -> AbstractContextManager[Server]:
    """Run a Prometheus Alertmanager that tells `hook` at once, and alone: it looks for no others."""

    def build(port: int, directory: Path) -> Server:
        file = directory / "alertmanager.yml"
        file.write_text(ALERTMANAGER_CONFIG.format(hook=hook))
        command = (
            binary("prometheus-alertmanager", "prometheus-alertmanager"),
            f"--config.file={file}",
            f"--storage.path={directory}/data",
            f"--web.listen-address={HOST}:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        )
        return Server(name="alertmanager", port=port, command=command, directory=directory, ping_path="/-/ready")

    return serving("alertmanager", build)
