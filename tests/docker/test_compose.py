"""The compose files: the real Compose takes them in every variant, and what they promise is in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.docker.stack import DOCKER, FILES, ROOT, VARIANTS, compose, config, environment_of
from twin.settings import resolve
from twin.sizing import Load, rows

pytestmark = pytest.mark.long

PROFILES: tuple[tuple[str, ...], ...] = ((), ("simulate",), ("influxdb3",), ("influxdb2",), ("*",))
ALWAYS = {"mosquitto", "twin", "grafana"}


def names(files: tuple[str, ...]) -> str:
    return "+".join(re.sub(r"compose\.?|\.?yaml", "", file) or "plain" for file in files)


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return config()


@pytest.mark.parametrize("profiles", PROFILES, ids="+".join)
@pytest.mark.parametrize("files", VARIANTS, ids=names)
def test_compose_takes_every_variant_with_every_profile(files: tuple[str, ...], profiles: tuple[str, ...]) -> None:
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    made = compose(files, *chosen, "config", "-q")
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")


def test_compose_refuses_a_misspelt_key(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DOCKER / "compose.yaml").read_text("utf-8").replace("    depends_on:", "    dependz_on:"))
    made = compose([wrong], "config", "-q")
    assert made.returncode == 1
    assert "dependz_on" in made.stderr


@pytest.mark.parametrize(
    ("files", "profiles", "wanted"),
    [
        (FILES[:1], (), {"influxdb"}),
        (FILES[:1], ("simulate",), {"influxdb", "simulator"}),
        (FILES[:1], ("influxdb3",), {"influxdb", "influxdb3"}),
        (FILES[:2], (), {"influxdb"}),
        (VARIANTS[2], (), {"influxdb3"}),
        (VARIANTS[4], ("simulate",), {"influxdb3", "simulator"}),
    ],
)
def test_what_runs(files: tuple[str, ...], profiles: tuple[str, ...], wanted: set[str]) -> None:
    assert set(config(files, profiles)["services"]) == ALWAYS | wanted


@pytest.mark.parametrize("files", VARIANTS, ids=names)
def test_every_container_is_confined_and_listens_on_this_host_only(files: tuple[str, ...]) -> None:
    made = config(files)
    for name, service in made["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert not {"privileged", "network_mode", "pid", "cap_add", "devices"} & set(service), name
        assert {"memory", "cpus", "pids"} <= set(service["deploy"]["resources"]["limits"]), name
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", ())), name
        if not service["image"].startswith("smelter-twin:"):  # its own image names its user
            assert int(service["user"].split(":")[0]) > 0, name
        assert re.search(r":\d+(\.\d+){2}(-core)?$", service["image"]), name
        assert not [bind for bind in service["volumes"] if "docker.sock" in bind["source"]], name


@pytest.mark.parametrize("files", VARIANTS, ids=names)
def test_a_container_waits_until_those_that_it_needs_are_healthy(files: tuple[str, ...]) -> None:
    services = config(files)["services"]
    store = "influxdb3" if FILES[2] in files else "influxdb"
    assert set(services["twin"]["depends_on"]) == {"mosquitto", store}
    assert set(services["grafana"]["depends_on"]) == {store}
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy", name
            assert "healthcheck" in services[needed] or services[needed]["image"].startswith("smelter-twin:")


@pytest.mark.parametrize("files", VARIANTS, ids=names)
def test_every_secret_comes_from_a_file_and_none_stands_in_the_environment(files: tuple[str, ...]) -> None:
    made = config(files)
    assert all(set(secret) == {"name", "file"} for secret in made["secrets"].values())
    for service in made["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|TOKEN|SECRET", name):
                assert name.endswith("_FILE"), name
                assert value == "" or value.startswith("/run/secrets/"), name


@pytest.mark.parametrize("files", VARIANTS, ids=names)
def test_every_file_that_is_named_is_mounted(files: tuple[str, ...]) -> None:
    for service in config(files)["services"].values():
        there = {
            str(Path("/run/secrets") / (secret.get("target") or secret["source"])) for secret in service["secrets"]
        }
        told = {value for value in (service.get("environment") or {}).values() if value.startswith("/run/secrets/")}
        told |= {word.partition("=")[2] for word in service.get("command") or () if "=/run/secrets/" in word}
        assert told <= there
    settings = resolve(toml=(DOCKER / "twin" / "twin.toml").read_text("utf-8"))
    twin = config(files)["services"]["twin"]["secrets"]
    inside = {f"/run/secrets/{secret['target']}" for secret in twin if "/" not in secret["target"]}
    assert {str(settings[name]) for name in ("mqtt.password_file", "sink.token_file", "page.token_file")} <= inside


@pytest.mark.parametrize("files", VARIANTS, ids=names)
def test_every_path_that_is_mounted_is_in_the_tree(files: tuple[str, ...]) -> None:
    binds = {
        Path(bind["source"])
        for service in config(files)["services"].values()
        for bind in service["volumes"]
        if bind["type"] == "bind"
    }
    assert len(binds) >= 9
    assert all(path.is_relative_to(ROOT) for path in binds)
    missing = {path.relative_to(ROOT).as_posix() for path in binds if not path.exists()}
    if not (ROOT / "dashboards").exists():  # they come with the folder
        missing -= {"dashboards/generated/provisioning", "dashboards/generated/dashboards"}
    assert missing == set()
    scripts = [path for path in binds if path.suffix == ".sh"]
    assert scripts
    assert all(path.stat().st_mode & 0o111 for path in scripts), "a script that is mounted must be executable"


@pytest.mark.parametrize("files", VARIANTS, ids=names)
@pytest.mark.parametrize("name", ["twin", "simulator"])
def test_settings_exist_and_lead_to_the_other_containers(files: tuple[str, ...], name: str) -> None:
    services = config(files)["services"]
    toml = (DOCKER / "twin" / "twin.toml").read_text("utf-8")
    settings = resolve(toml=toml, environment=environment_of(services[name]))
    tls = FILES[1] in files
    assert settings["mqtt.url"] == f"{'mqtts' if tls else 'mqtt'}://{name}@mosquitto:{8883 if tls else 1883}"
    assert (settings["mqtt.ca_file"] == "/run/secrets/tls-ca") is tls
    if name == "twin":
        store = "influxdb3:8181/smelter" if FILES[2] in files else "influxdb:8086/smelter?org=smelter"
        assert settings["sink.url"] == f"influx://{store}"
        assert settings["roles"] == "ingest,engine,page"
        assert services["twin"]["stop_grace_period"] == "40s"
        assert settings["stop.within_s"] < 40
    else:  # it has neither store nor page, and so none of their secrets
        assert (settings["roles"], settings["sink.url"]) == ("simulate", "memory")
        assert settings["sink.token_file"] == settings["page.token_file"] == ""


def test_what_is_set_up_in_the_store_is_what_the_twin_writes_to(plain: dict[str, Any]) -> None:
    made = plain["services"]["influxdb"]["environment"]
    assert made["DOCKER_INFLUXDB_INIT_BUCKET"] == made["DOCKER_INFLUXDB_INIT_ORG"] == "smelter"
    assert plain["services"]["grafana"]["environment"]["SMELTER_INFLUX_DATABASE"] == "smelter"
    pairs = (("influxdb-admin-token", "twin-store-token"), ("influxdb-reader", "grafana-store-password"))
    for server, client in pairs:
        assert server in plain["secrets"]
        assert client in plain["secrets"]


def test_the_broker_may_use_the_memory_that_a_full_queue_needs(plain: dict[str, Any]) -> None:
    needs = {row.what: row.value for row in rows(Load(1500))}
    limit = int(plain["services"]["mosquitto"]["deploy"]["resources"]["limits"]["memory"])
    assert limit > needs["broker memory then"] * 1e9 * 1.1


def test_the_networks_part_broker_and_store(plain: dict[str, Any]) -> None:
    on = {name: set(service["networks"]) for name, service in plain["services"].items()}
    assert on["twin"] == {"plant", "store"}
    assert on["mosquitto"] == on["simulator"] == {"plant"}
    assert on["influxdb"] == on["influxdb3"] == on["grafana"] == {"store"}


def test_ports_go_elsewhere_only_by_a_word_of_the_operator() -> None:
    made = config(environment={"SMELTER_BIND": "10.0.0.5"})
    assert {port["host_ip"] for s in made["services"].values() for port in s.get("ports", ())} == {"10.0.0.5"}


def test_the_sizes_in_the_documentation_are_those_of_the_sums() -> None:
    text = (ROOT / "docs" / "docker.md").read_text("utf-8")
    for start, what in (
        ("broker with a queue", "broker memory then"), ("engine of the twin", "engine memory"),
        ("InfluxDB on disk", "InfluxDB per day"),
    ):  # fmt: skip
        (row,) = re.findall(rf"^\| {start}[^|]*\|([^|]+)\|([^|]+)\|([^|]+)\|", text, re.M)
        for said, pots in zip(row, (60, 300, 1500), strict=True):
            wanted = {one.what: one.value for one in rows(Load(pots))}[what]
            assert float(said) == pytest.approx(wanted, rel=0.02, abs=0.05 if what.startswith("broker") else 0)


def test_the_documentation_names_every_secret_and_every_variable(plain: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "docker.md").read_text("utf-8")
    files = {Path(secret["file"]).name for secret in plain["secrets"].values()}
    assert {name for name in files if f"`{name}`" not in text} == set()
    variables = set(re.findall(r"\$\{(\w+):-", (DOCKER / "compose.yaml").read_text("utf-8"))) - {"SMELTER_SECRETS"}
    assert len(variables) >= 12
    assert {name for name in variables if name not in text} == set()
