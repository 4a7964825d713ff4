"""Every task that the service starts is ended by its shutdown: one that is forgotten keeps the process alive."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import ROOT


def test_every_job_of_the_service_is_ended_at_the_stop() -> None:
    service = (ROOT / "twin" / "service.py").read_text("utf-8")
    started = set(re.findall(r'jobs\["(\w+)"\]', service)) | set(re.findall(r'tasks\["(\w+)"\]', service))
    assert {"models", "engine", "page"} <= started
    tree = ast.parse((ROOT / "twin" / "shutdown.py").read_text("utf-8"))
    ended = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert started - ended == set()
