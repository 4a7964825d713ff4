"""A whole process: an anode effect from the broker to page, mail and broker; commands by MQTT; a kill in between."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.alarms.receiver import Mailbox
from tests.live.process import twin
from tests.live.test_state import told
from tests.live.test_up import START_MS, topic
from tests.live.tools import publish, until_sync
from tests.processes import free_port
from tests.servers import HOST, Server
from twin.adapters.alarm_book import SqliteBook
from twin.alarms.chain import broken
from twin.times import iso

pytestmark = pytest.mark.live

FILE = """
link = "http://twin.example:8080/"
[[channels]]
kind = "mqtt"
name = "broker"
[[channels]]
kind = "email"
name = "shift"
host = "{host}"
port = {port}
security = "none"
sender = "twin@plant.example"
to = ["shift@plant.example"]
language = "zh"
[[routes]]
to = ["broker"]
[[routes]]
to = ["shift"]
priorities = ["high"]
[[users]]
name = "li.wei"
role = "operator"
token_file = "{token}"
"""
TOKEN = "token-of-li-wei-1"


def voltages(first: int, last: int, volt: float) -> list[bytes]:
    return [b'{"time":%d,"voltage_v":%.1f}' % (START_MS + 1000 * n, volt) for n in range(first, last)]


def asked(port: int) -> dict[str, str]:
    """State of each alarm, by code, as the page's server tells it."""
    request = urllib.request.Request(f"http://{HOST}:{port}/api/alarms", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {one["code"]: one["state"] for one in json.loads(answer.read())["alarms"]}


def test_an_alarm_from_the_broker_to_people_and_over_a_kill(broker: Server, fresh_name: str, tmp_path: Path) -> None:
    port, root = free_port(), fresh_name
    (tmp_path / "token").write_text(TOKEN)
    settings: dict[str, Any] = {"roles": "ingest,engine,page", "mqtt__url": broker.url, "mqtt__root": root}
    settings |= {"mqtt__client_id": root, "mqtt__twin_root": f"{root}-twin", "page__port": port}
    settings |= {"alarms__file": tmp_path / "alarms.toml", "engine__checkpoint_s": 1}
    place = f"{root}-twin/alarms/demo/A/A001/anode_effect"
    with Mailbox() as box:
        (tmp_path / "alarms.toml").write_text(FILE.format(host=HOST, port=box.port, token=tmp_path / "token"))
        with twin(tmp_path / "run", "run", **settings) as first:
            first.says("page: ")
            publish(broker, topic(root), voltages(0, 20, 4.0) + voltages(20, 300, 31.5))
            until_sync(lambda: asked(port).get("anode_effect") == "unacknowledged", "the alarm on the page")
            until_sync(lambda: told(broker, place).get("state") == "unacknowledged", "the alarm on the broker")
            until_sync(lambda: len(box.mails) == 1, "the mail")
            command = {"time": iso(time.time_ns()), "token": TOKEN, "unit": "demo/A/A001", "why": "on my way"}
            publish(broker, f"{root}-twin/command/alarms/ack", [json.dumps(command).encode()])
            until_sync(lambda: told(broker, place).get("state") == "acknowledged", "the acknowledgement")
            assert told(broker, place)["who"] == "li.wei"
            first.kill()
        with twin(tmp_path / "run", "run", **settings) as second:
            second.says("page: ", 2)
            publish(broker, topic(root), voltages(300, 330, 31.5))
            until_sync(lambda: asked(port) == {"anode_effect": "acknowledged"}, "the same state")
            assert second.stop() == 0
            assert "Traceback" not in second.log()
            assert TOKEN not in second.log()
    (mail,) = box.mails
    assert mail["Subject"] == "【高】阳极效应：demo/A/A001"
    assert "http://twin.example:8080/?pot=demo/A/A001" in mail.get_content()
    book = SqliteBook(tmp_path / "run" / "twin-data" / "alarms.sqlite")
    journal = [(e.transition.code, e.transition.event, e.transition.after) for e in book.whole()]
    assert journal == [
        ("anode_effect", "activated", "unacknowledged"), ("anode_effect", "acknowledged", "acknowledged"),
    ]  # fmt: skip
    assert broken(book.whole(), *book.head()) == ""
    assert book.backlog() == {}
    book.close()
