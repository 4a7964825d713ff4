"""`twin grafana push | diff` against a server that behaves as Grafana's documented API."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner, Result

from dashboards.__main__ import OUT, PLAN, PLANT, main
from tests.dashboards.fake_grafana import TOKEN, Fake, grafana
from tests.live.certificates import Authority
from tests.servers import free_port
from twin.cli import app
from twin.errors import ConfigError, SourceUnavailable

pytestmark = pytest.mark.long

STORE = ["--set", "sink.url=influx://influx.example:8086/smelter?org=plant"]
MAIL = ["--urgent", "control@plant.example", "--usual", "energy@plant.example"]


@pytest.fixture
def server() -> Iterator[Fake]:
    with grafana() as fake:
        yield fake


@pytest.fixture
def token(tmp_path: Path) -> list[str]:
    file = tmp_path / "grafana.token"
    file.write_text(f"{TOKEN}\n")
    return ["--token-file", str(file)]


def run(verb: str, *words: str) -> Result:
    result = CliRunner().invoke(app, ["grafana", verb, *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def ended(text: str) -> list[str]:
    return [line.split()[-1] for line in text.splitlines()]


def test_push_makes_everything_and_a_second_one_changes_nothing(server: Fake, token: list[str]) -> None:
    assert run("diff", server.url, *token, *STORE).exit_code == 1
    assert server.writes == []
    first = run("push", server.url, *token, *STORE)
    assert set(ended(first.output)) == {"made"}
    assert len(server.boards) == 8
    assert {folder for _, folder in server.boards.values()} == {"smelter"}
    assert sorted(name for _, name in server.groups) == ["data", "faults", "plan"]
    assert list(server.sources) == ["smelter-influx"]
    assert (server.points, server.policy["receiver"]) == ({}, "grafana-default-email")
    same = run("diff", server.url, *token, *STORE)
    assert (same.exit_code, set(ended(same.output))) == (0, {"same"})
    server.writes.clear()
    assert run("push", server.url, *token, *STORE).exit_code == 0
    assert server.writes == []


def test_the_data_source_is_that_of_the_settings(server: Fake, token: list[str], tmp_path: Path) -> None:
    run("push", server.url, *token, *STORE)
    source = server.sources["smelter-influx"]
    assert (source["url"], source["jsonData"]["dbName"]) == ("http://influx.example:8086", "smelter")
    assert "secureJsonData" not in source
    assert "httpHeaderName1" not in source["jsonData"]
    secret = tmp_path / "influx.token"
    secret.write_text("of the store")
    second = run("push", server.url, *token, *STORE, "--set", f"sink.token_file={secret}")
    source = server.sources["smelter-influx"]
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token of the store"}
    assert "of the store" not in second.output
    assert "$" not in json.dumps(source)


def test_a_store_that_grafana_cannot_ask_leaves_its_data_sources_alone(server: Fake, token: list[str]) -> None:
    run("push", server.url, *token, "--prometheus", "http://prometheus.example:9090")
    assert {uid: row["url"] for uid, row in server.sources.items()} == {
        "smelter-prometheus": "http://prometheus.example:9090"
    }


def test_what_somebody_changed_is_named_and_put_back(server: Fake, token: list[str]) -> None:
    run("push", server.url, *token)
    board, folder = server.boards["smelter-pot"]
    wanted = json.loads(json.dumps(board))
    board["panels"][0]["title"] = "Mine"
    board["panels"][1]["extra"] = 1
    server.boards["smelter-energy"] = (server.boards["smelter-energy"][0], "")
    server.groups["smelter", "faults"]["rules"][0]["for"] = "9m"
    found = run("diff", server.url, *token)
    assert found.exit_code == 1
    differing = {line.split("differs: ")[1] for line in found.output.splitlines() if "differs" in line}
    assert differing == {"panels[0].title, panels[1].extra", "folder", "rules[0].for"}
    server.writes.clear()
    pushed = run("push", server.url, *token)
    assert sorted(ended(pushed.output)).count("changed") == 3
    assert len(server.writes) == 3
    assert server.boards["smelter-pot"][0]["panels"] == wanted["panels"]
    assert server.boards["smelter-pot"][0]["version"] == 2
    assert folder == server.boards["smelter-energy"][1] == "smelter"
    assert run("diff", server.url, *token).exit_code == 0


def test_a_folder_that_was_renamed_gets_its_name_back(server: Fake, token: list[str]) -> None:
    run("push", server.url, *token)
    server.folders["smelter"] = {"uid": "smelter", "title": "Other"}
    run("push", server.url, *token)
    assert server.folders["smelter"]["title"] == "Smelter"


def test_notifications_are_pushed_only_when_asked_for(server: Fake, token: list[str]) -> None:
    run("push", server.url, *token, *MAIL)
    addresses = {uid: point["settings"]["addresses"] for uid, point in server.points.items()}
    assert addresses == {"smelter-urgent": "control@plant.example", "smelter-usual": "energy@plant.example"}
    assert server.policy["receiver"] == "grafana-default-email", "the tree of policies may be somebody else's"
    changed = run("push", server.url, *token, *MAIL[:-1], "other@plant.example", "--policy")
    assert "smelter-usual                changed" in changed.output
    assert server.policy["receiver"] == "smelter-usual"
    assert [route["receiver"] for route in server.policy["routes"]] == ["smelter-urgent"]
    again = run("diff", server.url, *token, *MAIL[:-1], "other@plant.example", "--policy")
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--urgent", "a@b.example"], "--urgent and --usual together"),
        (["--policy"], "give them too"),
        (["--files", "/nowhere"], "--files = '/nowhere/api.json' cannot be read"),
    ],
)
def test_a_wrong_wish_is_explained(server: Fake, token: list[str], words: list[str], why: str) -> None:
    with pytest.raises(ConfigError, match=why.replace("(", r"\(")):
        run("push", server.url, *token, *words)


def test_a_wrong_token_is_explained_and_not_shown(server: Fake, tmp_path: Path) -> None:
    file = tmp_path / "wrong"
    file.write_text("glsa_wrong")
    with pytest.raises(ConfigError, match=r"refuses the token \(401\).*--token-file") as caught:
        run("diff", server.url, "--token-file", str(file))
    assert "glsa_wrong" not in str(caught.value)


def test_no_grafana_or_a_broken_one_is_explained(server: Fake, token: list[str]) -> None:
    with pytest.raises(SourceUnavailable, match="no Grafana answers at"):
        run("diff", f"http://127.0.0.1:{free_port()}", *token)
    server.broken = 502
    with pytest.raises(ConfigError, match="502 <html>bad gateway"):
        run("push", server.url, *token)
    server.broken = 200
    with pytest.raises(SourceUnavailable, match="no Grafana answers at"):
        run("push", server.url, *token)


def test_a_token_that_comes_back_is_not_shown(server: Fake, token: list[str]) -> None:
    server.broken, server.says = 500, f"cannot use {TOKEN}".encode()
    with pytest.raises(ConfigError, match=r"folder 'Smelter': 500 cannot use \*\*\*$"):
        run("push", server.url, *token)


def test_tokens_go_to_the_address_that_was_given_and_nowhere_else(
    server: Fake, token: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with grafana() as other:
        monkeypatch.setenv("http_proxy", other.url)
        assert run("push", server.url, *token).exit_code == 0
        assert set(server.tokens) == {f"Bearer {TOKEN}"}
        server.tokens.clear()
        with pytest.raises(ConfigError, match="refuses the token"):
            run("push", server.url)
        assert server.tokens == [None]
        server.moved = other.url
        with pytest.raises(ConfigError, match=rf"redirects to {other.url}/api/folders/smelter, .*own address"):
            run("push", server.url, *token)
        assert other.tokens == []


def test_a_request_that_gets_no_answer_ends(server: Fake, token: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    limits = set()
    send = requests.Session.send

    def noting(self: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        limits.add(more["timeout"])
        return send(self, request, **more)

    monkeypatch.setattr(requests.Session, "send", noting)
    run("push", server.url, *token)
    assert limits == {30}


def test_without_the_library_it_says_what_to_install(token: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grafana_client", None)
    with pytest.raises(ConfigError, match=r"pip install 'smelter-twin\[grafana\]'"):
        run("diff", "http://127.0.0.1:3000", *token)


@pytest.mark.parametrize("end", ["", "/"])
def test_a_grafana_below_a_path_is_found(server: Fake, token: list[str], end: str) -> None:
    server.prefix = "/plant/grafana"
    assert run("push", f"{server.url}/plant/grafana{end}", *token).exit_code == 0
    assert len(server.boards) == 8


def test_an_address_of_ipv6_is_tried(token: list[str]) -> None:
    with pytest.raises(SourceUnavailable, match="Failed to establish a new connection"):
        run("diff", f"http://[::1]:{free_port()}", *token)


@pytest.mark.parametrize(
    "url",
    [
        "grafana.example",
        "ftp://grafana.example",
        "http://me:word@grafana.example",
        "http://grafana.example:grafana",
        "http://[::1:3000",
        "https://grafana.example?verify=false",
    ],
)
def test_a_wrong_address_is_refused(url: str, token: list[str]) -> None:
    with pytest.raises(ConfigError, match="must look like https://host:3000") as caught:
        run("diff", url, *token)
    assert "me:word" not in str(caught.value)


def test_a_grafana_with_an_own_authority_is_trusted_by_its_file(token: list[str], tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with grafana(authority.issue("grafana")) as server:
        with pytest.raises(SourceUnavailable, match="certificate verify failed"):
            run("push", server.url, *token)
        assert server.boards == {}
        assert run("push", server.url, *token, "--ca-file", str(authority.file)).exit_code == 0
        assert len(server.boards) == 8
        with pytest.raises(ConfigError, match=r"^--ca-file = '/nowhere'"):
            run("push", server.url, *token, "--ca-file", "/nowhere")


def test_own_files_are_pushed(server: Fake, token: list[str], tmp_path: Path) -> None:
    api: dict[str, Any] = json.loads((OUT / "api.json").read_text("utf-8"))
    api["rule_groups"] = [{**group, "interval": 15} for group in api["rule_groups"]]
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "api.json").write_text(json.dumps(api))
    with pytest.raises(ConfigError, match="multiple of 10"):
        run("push", server.url, *token, "--files", str(tmp_path))
    assert server.boards == {}


DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how-to" / "grafana.md").read_text("utf-8")
COMMANDS = [shlex.split(line) for text in re.findall(r"```bash\n(.*?)```", PAGE, re.S) for line in text.splitlines()]


def test_every_command_of_the_documentation_runs(
    server: Fake, token: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "twin.toml").write_text('[sink]\nurl = "influx://influx.example:8086/smelter"\n')
    (tmp_path / "plan.toml").write_text(PLAN.read_text("utf-8"))
    (tmp_path / "plant.toml").write_text(PLANT.read_text("utf-8"))
    assert len(COMMANDS) == 6
    outputs = []
    for program, *words in COMMANDS:
        if program == "python":
            assert words[:2] == ["-m", "dashboards"]
            assert main(words[2:]) == 0
            continue
        assert (program, words[0]) == ("twin", "grafana")
        result = run(words[1], *(server.url if word.startswith("https://") else word for word in words[2:]))
        assert result.exit_code == (1 if words[1] == "diff" else 0), result.output
        outputs.append(result.output)
    assert len(server.boards) == 8
    assert server.policy["receiver"] == "smelter-usual"
    (shown,) = re.findall(r"```\n\n```\n(data source.*?)```", PAGE, re.S)
    assert [line for line in shown.splitlines() if line not in (*outputs[1].splitlines(), "...")] == []
