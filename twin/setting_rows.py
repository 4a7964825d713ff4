"""The one table of settings: name, default, unit, help, and what is allowed. To add a setting, add a row."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ENVIRONMENT_PREFIX", "SECRET_FILES", "SETTINGS", "Setting", "Value"]

Value = str | int | float | bool
ENVIRONMENT_PREFIX = "SMELTER_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row. `low` and `high` bound numbers, `choices` words. A secret is never a value: only its file is named."""

    name: str
    default: Value
    unit: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()

    @property
    def allowed(self) -> str:
        """What may stand here, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if isinstance(self.default, bool):
            return "true or false"
        kind = {int: "a whole number", float: "a number", str: "text"}[type(self.default)]
        if self.low is None and self.high is None:
            return kind
        if self.high is None:
            return f"{kind}, at least {self.low:g}"
        return f"{kind} from {self.low:g} to {self.high:g}"


# fmt: off
S = Setting
SETTINGS: tuple[Setting, ...] = (
    S("plant.file", "demo", "", "Plant file (TOML): sites, lines, pots, designs. `demo` is the packaged one."),
    S("plant.pots", 0, "", "Pots of every line instead of what the plant file says; 0 = as it says.", 0, 10000),
    S("plan.file", "china-2025-2027", "", "Plan file (TOML) with the rules to grade. A name without .toml is a packaged one."),
    S("data.dir", "twin-data", "", "Folder for the embedded store, spool, parked messages and broker data."),
    S("roles", "ingest,engine,page", "", "What `twin run` runs, comma separated: broker, simulate, ingest, engine, page."),
    S("broker.port", 18883, "", "Port of the embedded MQTT broker on 127.0.0.1 (role broker).", 1, 65535),
    S("mqtt.url", "", "", "Broker to read from and publish to: mqtt://[user@]host[:port] or mqtts://...; empty = the embedded one. Several nodes of one cluster: mqtt://a,b,c, tried in turn."),
    S("mqtt.version", "5", "", "MQTT version. 3.1.1 is for brokers without 5 (NATS): no session expiry, receive maximum or shared subscriptions.", choices=("5", "3.1.1")),
    S("mqtt.root", "smelter", "", "First level of every topic."),
    S("mqtt.client_id", "smelter-twin-ingest", "", "Stable client id of the ingestor: its session on the broker belongs to this name."),
    S("mqtt.instance", "", "", "Suffix of every client id of this process, when several run: another one for each, the same at every start."),
    S("mqtt.share", "", "", "Group of an MQTT 5 shared subscription: ingestors of one group share the messages. Empty = each gets all."),
    S("mqtt.password_file", "", "", "File with the MQTT password (mode 0600); the user name stands in mqtt.url."),
    S("mqtt.ca_file", "", "", "Certificate authority for mqtts:// (PEM); empty = the system's."),
    S("mqtt.cert_file", "", "", "Client certificate for mqtts:// (PEM), where the broker wants one."),
    S("mqtt.key_file", "", "", "Key of mqtt.cert_file (PEM, no passphrase, mode 0600); empty = it is in the same file."),
    S("mqtt.qos", 1, "", "QoS of the ingest subscription: 1 = acknowledged only when stored, 0 = faster, may lose.", 0, 1),
    S("mqtt.session_expiry_s", 86400, "s", "How long the broker keeps messages for an absent ingestor.", 1, 4294967294),
    S("mqtt.twin_root", "twin", "", "First level of the topics that tell the twin's state; empty: not told."),
    S("mqtt.receive_maximum", 4000, "messages", "Unacknowledged messages the broker may have under way.", 10, 65535),
    S("mqtt.buffer_mib", 32, "MiB", "Messages held in memory before the socket is paused.", 1, 65536),
    S("ingest.batch_messages", 2000, "messages", "A batch is written at this size ...", 1, 100000),
    S("ingest.batch_kib", 1500, "KiB", "... or this size ...", 1, 65536),
    S("ingest.linger_ms", 250, "ms", "... or this long after its first message, whichever comes first.", 1, 10000),
    S("ingest.writes", 3, "batches", "Batches on their way to the store at once.", 2, 16),
    S("ingest.max_payload_bytes", 262144, "bytes", "Larger messages are parked unread.", 100, 268435455),
    S("ingest.future_s", 60.0, "s", "A source time further ahead of this clock is parked.", 0, 86400),
    S("ingest.map", "", "", "Mapping file (TOML) of an existing plant's topics and formats, read beside the data contract's; empty = none."),
    S("ingest.unknown_pot", "discover", "", "A pot that the plant file does not name is discovered or parked.", choices=("discover", "park")),
    S("ingest.discovered_max", 1000, "pots", "Pots discovered at most; told at 85 %, more are parked.", 0, 100000),
    S("ingest.lines", "", "", "Lines (site/line) or sites that this process ingests, comma separated; empty = all."),
    S("sparkplug.host_id", "", "", "Id of this Sparkplug B host application, which takes the `sparkplug` rows of `ingest.map`; empty = off."),
    S("sparkplug.group", "+", "", "Sparkplug group to listen to; + = all."),
    S("sparkplug.reorder_ms", 2000, "ms", "How long a message that is missing is waited for.", 10, 60000),
    S("sparkplug.rebirth_s", 10.0, "s", "Shortest time between two rebirth commands to one edge node.", 1, 3600),
    S("sink.url", "duckdb", "", "Store: duckdb[:FILE], influx://host:port/bucket (influxs:// for TLS; ?org=NAME), or memory."),
    S("sink.token_file", "", "", "File with the token of the store (mode 0600)."),
    S("sink.ca_file", "", "", "Certificate authority for influxs:// (PEM); empty = the system's."),
    S("sink.gzip", False, "", "Compress what is sent to InfluxDB (level 1): for a slow network."),
    S("sink.retry_max_s", 30.0, "s", "Longest pause between two tries while the store is away.", 0.1, 3600),
    S("engine.lines", "", "", "Lines (site/line) or sites that this process computes, comma separated; empty = all."),
    S("spool.max_mib", 10240.0, "MiB", "Disk for messages that wait for the store (`spool.sqlite` in `data.dir`); 0 = no spool: they wait at the broker.", 0, 1e9),
    S("spool.max_h", 168.0, "h", "While the store is away, what has waited for longer is parked.", 0.001, 87600),
    S("spool.patience_s", 5.0, "s", "A batch goes to the spool when the store has not answered by then.", 0.1, 3600),
    S("spool.waiting", 16, "batches", "A batch goes to the spool when so many wait for the store.", 0, 10000),
    S("engine.tick_s", 1.0, "s", "Time step of the twin.", 0.1, 60),
    S("engine.grace_ticks", 2, "ticks", "Ticks to wait for data that is out of order.", 0, 600),
    S("engine.horizon_h", 36, "h", "How far back late data still changes the books.", 25, 240),
    S("engine.estimate", True, "", "Estimate the state of every pot, and its current efficiency."),
    S("engine.current_efficiency", 0.94, "1", "Current efficiency where it is not estimated.", 0.5, 1.0),
    S("engine.current_efficiency_u", 0.006, "1", "Its standard uncertainty: 92.5-94.5 %, rectangular.", 0.0, 0.1),
    S("engine.output_s", 60.0, "s", "How often the twin's figures are written to the store.", 1, 3600),
    S("engine.checkpoint_s", 600.0, "s", "How often the twin's state is kept for a restart (`twin.state`).", 1, 86400),
    S("models.file", "", "", "Folder of model files, as `twin models train` writes it; empty = the ones that come with the product, `off` = none."),
    S("alarms.file", "", "", "Alarm file (TOML): positions, channels, routes, users; empty = only the broker is told."),
    S("page.host", "127.0.0.1", "", "Address the page listens on."),
    S("page.port", 8080, "", "Port of the page.", 1, 65535),
    S("page.hosts", "", "", "Names, comma separated, under which browsers may ask for the page, besides localhost, page.host and any address in digits; * = all."),
    S("page.token_file", "", "", "File with a token (mode 0600) that the page and its API then ask for: Bearer, or as the password of any user."),
    S("simulate.seed", 7, "", "Seed of the simulated line: same seed, same line.", 0, 2**31),
    S("simulate.speed", 1.0, "", "Simulated seconds a second.", 0.1, 10000),
    S("simulate.period_s", 1.0, "s", "Time between two messages of a pot.", 1, 60),
    S("simulate.batched", False, "", "Publish one message a section instead of one a pot."),
    S("simulate.history_min", 60, "min", "Simulated past published at start, so that the page has figures at once.", 0, 1440),
    S("simulate.scenario", "", "", "Scenario of the simulated line: a packaged one or a TOML file; empty = no causes of trouble."),
    S("simulate.start", "", "", "First moment simulated (ISO 8601 with a zone); empty = `simulate.history_min` ago, at the earliest where an earlier run ended."),
    S("simulate.hours", 0.0, "h", "Simulated time after which the line stops; 0 = never.", 0, 100000),
    S("metrics.host", "127.0.0.1", "", "Address of /health, /ready and /metrics beside the page's server."),
    S("metrics.port", 0, "", "Port of a server of their own for /health, /ready and /metrics; 0 = only with the page.", 0, 65535),
    S("ready.engine_s", 30.0, "s", "A twin that has not stepped for so long is not ready.", 1, 3600),
    S("ready.probe_s", 5.0, "s", "How often the store is asked whether it answers.", 0.1, 600),
    S("stop.within_s", 20.0, "s", "Longest time to drain and flush when the process is asked to end.", 1, 600),
    S("log.level", "info", "", "Least severe log lines shown.", choices=("debug", "info", "warning", "error")),
    S("log.format", "console", "", "Log lines for people, or one JSON object a line.", choices=("console", "json")),
)
# fmt: on

# Settings that name a file which only its owner may read.
SECRET_FILES = tuple(s.name for s in SETTINGS if s.name.endswith(("password_file", "token_file", "key_file")))
