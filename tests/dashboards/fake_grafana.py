"""A small server that behaves as the documented HTTP API of Grafana, for what `twin grafana` uses of it.

It is made from the documentation, not from a Grafana. It refuses what Grafana refuses: a wrong token, an unknown
folder, a rule interval that is no multiple of 10 s, a receiver that is not there, a second thing of the same uid.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

TOKEN = "glsa_secret"
Answer = tuple[int, Any]


class RefusedError(Exception):
    """A status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Fake:
    """What this Grafana holds, and every request that changed something."""

    url: str = ""
    sources: dict[str, Any] = field(default_factory=dict)
    folders: dict[str, Any] = field(default_factory=dict)
    boards: dict[str, Any] = field(default_factory=dict)
    groups: dict[tuple[str, str], Any] = field(default_factory=dict)
    points: dict[str, Any] = field(default_factory=dict)
    policy: Any = field(default_factory=lambda: {"receiver": "grafana-default-email", "routes": []})
    writes: list[str] = field(default_factory=list)
    broken: int = 0  # answer everything with this status
    says: bytes = b"<html>bad gateway</html>"  # and this
    moved: str = ""  # answer everything with "it is there now"
    prefix: str = ""  # the path under which it is served
    tokens: list[str | None] = field(default_factory=list)  # the header Authorization of every request

    def answer(self, method: str, path: str, body: Any) -> Answer:
        below, _, path = path.partition("/api/")
        if below != self.prefix:
            raise RefusedError(404, "Not found")
        match ["api", *(unquote(part) for part in path.split("/"))]:
            case ["api", "datasources", *rest]:
                return self._source(method, rest, body)
            case ["api", "folders", *rest]:
                return self._folder(method, rest, body)
            case ["api", "dashboards", "uid", uid] if method == "GET":
                if uid not in self.boards:
                    raise RefusedError(404, "Dashboard not found")
                board, folder = self.boards[uid]
                return 200, {"dashboard": board, "meta": {"folderUid": folder, "provisioned": False}}
            case ["api", "dashboards", "db"] if method == "POST":
                return self._board(body)
            case ["api", "v1", "provisioning", "folder", folder, "rule-groups", name]:
                return self._group(method, folder, name, body)
            case ["api", "v1", "provisioning", "contact-points", *rest]:
                return self._point(method, rest, body)
            case ["api", "v1", "provisioning", "policies"]:
                return self._policy(method, body)
        raise RefusedError(404, "Not found")

    def _source(self, method: str, rest: list[str], body: Any) -> Answer:
        match method, rest:
            case "GET", ["uid", uid] if uid in self.sources:
                # secrets are not told back, only which there are
                shown = {k: v for k, v in self.sources[uid].items() if k != "secureJsonData"}
                return 200, {**shown, "id": 7, "readOnly": False, "secureJsonFields": {"httpHeaderValue1": True}}
            case "POST", []:
                if body["uid"] in self.sources or body["name"] in [row["name"] for row in self.sources.values()]:
                    raise RefusedError(409, "data source with the same name or uid already exists")
                self.sources[body["uid"]] = body
                return 200, {"datasource": body, "message": "Datasource added"}
            case "PUT", ["uid", uid] if uid in self.sources:
                self.sources[uid] = body
                return 200, {"datasource": body, "message": "Datasource updated"}
        raise RefusedError(404, "Data source not found")

    def _folder(self, method: str, rest: list[str], body: Any) -> Answer:
        match method, rest:
            case "GET", [uid] if uid in self.folders:
                return 200, {**self.folders[uid], "id": 3, "version": 1}
            case "POST", []:
                if body["uid"] in self.folders:
                    raise RefusedError(409, "a folder with that uid exists")
                self.folders[body["uid"]] = body
                return 200, body
            case "PUT", [uid] if uid in self.folders:
                if not body.get("overwrite"):
                    raise RefusedError(412, "the folder has been changed by someone else")
                self.folders[uid] = {"uid": uid, "title": body["title"]}
                return 200, self.folders[uid]
        raise RefusedError(404, "folder not found")

    def _board(self, body: Any) -> Answer:
        board = body["dashboard"]
        if body["folderUid"] not in self.folders:
            raise RefusedError(400, "folder not found")
        there = self.boards.get(board["uid"])
        if there and not body.get("overwrite"):
            raise RefusedError(412, "The dashboard has been changed by someone else")
        version = there[0]["version"] + 1 if there else 1
        self.boards[board["uid"]] = ({**board, "id": 1 + len(self.boards), "version": version}, body["folderUid"])
        return 200, {"uid": board["uid"], "status": "success", "version": version}

    def _group(self, method: str, folder: str, name: str, body: Any) -> Answer:
        if method == "GET":
            if (folder, name) not in self.groups:
                raise RefusedError(404, "rule group not found")
            group = self.groups[folder, name]
            rules = [{**rule, "id": 40 + n, "updated": "2026-01-01T00:00:00Z"} for n, rule in enumerate(group["rules"])]
            return 200, {**group, "rules": rules}
        if folder not in self.folders:
            raise RefusedError(404, "folder does not exist")
        if body["interval"] % 10:
            raise RefusedError(400, "interval should be a multiple of 10 seconds")
        others = {r["uid"] for key, group in self.groups.items() if key != (folder, name) for r in group["rules"]}
        if others & {rule["uid"] for rule in body["rules"]}:
            raise RefusedError(409, "a rule with that uid exists in another group")
        self.groups[folder, name] = body
        return 200, body

    def _point(self, method: str, rest: list[str], body: Any) -> Answer:
        match method, rest:
            case "GET", []:
                return 200, list(self.points.values())
            case "POST", []:
                if body["uid"] in self.points:
                    raise RefusedError(409, "the contact point exists")
                self.points[body["uid"]] = body
                return 202, body
            case "PUT", [uid] if uid in self.points:
                self.points[uid] = body
                return 202, {"message": "contactpoint updated"}
        raise RefusedError(404, "contact point not found")

    def _policy(self, method: str, body: Any) -> Answer:
        if method == "PUT":
            wanted = {body["receiver"], *(route["receiver"] for route in body["routes"])}
            if not wanted <= {point["name"] for point in self.points.values()}:
                raise RefusedError(400, "receiver does not exist")
            self.policy = body
            return 202, {"message": "policies updated"}
        return 200, self.policy


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # the connection stays open
        disable_nagle_algorithm = True

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, told = self._answer(body)
            text = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(told, bytes) else "application/json")
            if fake.moved:
                self.send_header("Location", f"{fake.moved}{self.path}")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _answer(self, body: Any) -> Answer:
            fake.tokens.append(self.headers.get("Authorization"))
            if fake.moved:
                return 307, {"message": "moved"}
            if fake.broken:
                return fake.broken, fake.says
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return 401, {"message": "Invalid API key"}
            if self.command != "GET":
                assert self.headers["X-Disable-Provenance"] == "true"
                fake.writes.append(f"{self.command} {self.path}")
            try:
                return fake.answer(self.command, self.path, body)
            except RefusedError as refused:
                return refused.status, {"message": str(refused)}

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing on the terminal of the tests."""

        do_GET = do_POST = do_PUT = _do  # noqa: N815

    return Handler


@contextmanager
def grafana(certificate: tuple[str, str] | None = None) -> Iterator[Fake]:
    """A running one; with a certificate and its key it speaks TLS."""
    fake = Fake()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
