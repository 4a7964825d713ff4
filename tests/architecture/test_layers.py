"""Who may import whom. A module that is not in the table fails: put it into the line where it belongs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, imports, modules

# Each line imports only lines above it; the modules of one line do not know each other. The files of a package
# (physics, estimator, report, alarms) may use each other; adapters may not.
ORDER: tuple[tuple[str, ...], ...] = (
    ("units", "errors", "redact", "setting_rows", "causes"),
    ("signals", "plant", "settings", "times", "packing"),
    ("frames",),
    ("physics",),
    ("losses",),
    ("estimator",),
    ("windows", "bins", "faults", "uncertainty", "whatif", "baseline", "tariff", "carbon", "deductions"),
    ("verdict",),
    ("cells", "plan", "days"),
    ("accounting", "totals"),
    ("formulas",),
    ("kpis",),
    ("portfolio", "figures", "tracking", "states"),
    ("alarms",),
    ("catalogue",),
    ("features", "anomalies", "late"),
    ("rules",),
    ("engine",),
    ("checkpoint",),
    # the pure core ends here
    (
        "ports",
        "topics",
        "salvage",
        "lines",
        "outputs",
        "snapshot",
        "opinions",
        "files",
        "point",
        "letters",
        "link",
        "log",
        "metrics",
        "refusals",
        "skew",
        "collisions",
        "tls",
        "access",
        "balance",
        "shares",
        "sessions",
        "sizing",
        "outgoing",
    ),
    (
        "decoded",
        "posting",
        "composing",
        "alarm_figures",
        "asked",
        "broker",
        "hasty",
        "notices",
        "sequences",
        "over_time",
        "web",
    ),
    ("connection", "precautions"),
    ("codec", "encode", "view", "announce", "recording", "levers", "outage", "readiness"),
    ("sparkplug",),
    ("mapping", "divide", "spoolbooks", "scoring"),
    ("overflow", "judge", "judge_thread", "dispatch", "alarm_desk"),
    ("unusual", "alarm_output"),
    (
        "ingest",
        "runner",
        "resume",
        "record",
        "replay",
        "replay_report",
        "column_map",
        "parquet_files",
        "answers",
        "sources",
        "history",
    ),
    ("report", "endpoints"),
    ("adapters",),
    ("parts", "connections", "operations", "shutdown"),
    ("going_on", "rate", "alarm_parts", "telling", "page_parts"),
    ("way_in",),
    ("service", "recordings"),
    ("trace", "console", "keys", "progress", "cli_options", "score", "letter_texts", "table_file"),
    ("evaluate", "evaluate_alarms", "curriculum"),
    ("lessons", "tuning"),
    ("teaching",),
    ("model_scores",),
    ("choosing",),
    ("training",),
    ("evaluate_models",),
    ("models_report", "models_card", "lessons_recorded"),
    (
        "api",
        "cli_alarms",
        "cli_deadletter",
        "cli_evaluate",
        "cli_grafana",
        "cli_map",
        "cli_models",
        "cli_record",
        "cli_replay",
        "cli_report",
        "cli_simulate",
        "cli_size",
        "cli_status",
        "cli_train",
    ),
    ("cli",),
    ("__main__",),
)
LATER: frozenset[str] = frozenset()
RANK = {module: rank for rank, line in enumerate(ORDER) for module in line}
CORE_ENDS = RANK["checkpoint"]
# What would bring a clock, a socket, a file or chance into the core.
IMPURE = frozenset(
    "aiohttp aiomqtt asyncio builtins concurrent ctypes duckdb fileinput gmqtt http importlib influxdb_client io "  # noqa: SIM905
    "iotcore logging multiprocessing os pathlib queue random sched secrets select selectors shutil signal socket "
    "sqlite3 ssl starlette subprocess sys tempfile threading time urllib uuid uvicorn uvloop".split()
)
IMPURE_CALLS = frozenset({"now", "utcnow", "today", "open", "input", "print", "exec", "eval", "default_rng"})
# Not plan, accounting, kpis, faults, engine nor what comes of them.
SIMULATORS_MAY = {"units", "errors", "signals", "plant", "settings", "times", "frames", "physics"}
SIMULATORS_MAY |= {"ports", "topics", "codec", "encode", "adapters"}


def place(module: str) -> str:
    """The name in ORDER of `twin.x` or `twin.x.y`; "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


def wrong_imports(root: Path = ROOT) -> list[str]:
    """Every import inside twin/ that goes up, sideways, or nowhere known."""
    tree = modules("twin", root)
    known = frozenset(tree)
    found = []
    for name, parsed in tree.items():
        for target in sorted(imports(parsed, name, known)):
            if target.split(".")[0] != "twin":
                continue
            mine, other = place(name), place(target)
            inside = mine == other != "adapters"
            if not inside and (not mine or other not in RANK or RANK[other] >= RANK.get(mine, -1)):
                found.append(f"{name} imports {target}")
    return found


def test_every_module_of_the_twin_has_a_place_and_every_place_a_module() -> None:
    there = {place(name) for name in modules("twin")} - {""}
    assert there - set(RANK) == set(), "give the new module a line in ORDER"
    assert set(RANK) - there <= LATER, "a module of ORDER is gone"


def test_no_module_imports_its_own_line_or_a_later_one() -> None:
    assert wrong_imports() == []


def test_the_package_itself_imports_nothing() -> None:
    assert imports(modules("twin")["twin"], "twin", frozenset()) <= {"importlib", "typing"}


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        ("units", "from twin.engine import Engine", "twin.units imports twin.engine"),
        ("times", "def f():\n    import twin.plant", "twin.times imports twin.plant"),
        ("engine", "from twin import codec", "twin.engine imports twin.codec"),
        ("engine", "from . import codec", "twin.engine imports twin.codec"),
        ("newcomer", "from twin import units", "twin.newcomer imports twin.units"),
        ("adapters/one", "from twin.adapters.two import x", "twin.adapters.one imports twin.adapters.two"),
        ("adapters/one", "from twin.adapters import two", "twin.adapters.one imports twin.adapters.two"),
        ("adapters/one", "from twin.service import run", "twin.adapters.one imports twin.service"),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, module: str, text: str, wrong: str) -> None:
    for name in ("units", "plant", "engine", "codec", "service", "adapters/two", module):
        file = tmp_path / "twin" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text if name == module else "")
    assert wrong_imports(tmp_path) == [wrong]


def impure(tree: ast.Module, name: str) -> list[str]:
    """What in a module reaches for a clock, a socket, a file or chance."""
    found = [
        f"{name} imports {target}" for target in imports(tree, name, frozenset()) if target.split(".")[0] in IMPURE
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in IMPURE_CALLS:
                found.append(f"{name} calls {called} in line {node.lineno}")
    return found


def test_the_core_knows_no_clock_no_socket_no_file_and_no_chance() -> None:
    core = {n: tree for n, tree in modules("twin").items() if place(n) and RANK.get(place(n), 99) <= CORE_ENDS}
    assert len(core) > 20
    assert [line for name, tree in core.items() for line in impure(tree, name)] == []


@pytest.mark.parametrize(
    "text",
    ["import time", "from pathlib import Path", "import urllib.parse", "def f(d):\n    return d.now()", "open('x')"],
)
def test_impurity_is_found(text: str) -> None:
    assert len(impure(ast.parse(text), "m")) == 1


def test_models_know_nothing_of_the_twin() -> None:
    assert len(modules("models")) > 10
    for name, tree in modules("models").items():
        assert not {t for t in imports(tree, name, frozenset()) if t.split(".")[0] in ("twin", "simulators")}, name


def test_dashboards_read_tables_and_do_nothing() -> None:
    tables = {
        "alarms",
        "catalogue",
        "faults",
        "kpis",
        "losses",
        "metrics",
        "plan",
        "plant",
        "signals",
        "states",
        "units",
    }
    for name, tree in modules("dashboards").items():
        targets = imports(tree, name, frozenset(modules("twin")))
        assert {place(t) for t in targets if t.split(".")[0] == "twin"} <= tables, name
        assert not {t for t in targets if t.split(".")[0] in IMPURE - {"pathlib", "sys"}}, name


def test_simulators_do_not_share_the_model_that_they_judge() -> None:
    tree = modules("simulators")
    assert len(tree) > 15
    known = frozenset(modules("twin"))
    for name, parsed in tree.items():
        used = {place(t) for t in imports(parsed, name, known) if t.split(".")[0] == "twin"}
        assert used <= SIMULATORS_MAY, f"{name} uses {', '.join(sorted(used - SIMULATORS_MAY))}"


MAY_KNOW = {
    f"twin.{name}" for name in ("service", "cli_simulate", "evaluate", "evaluate_alarms", "api", "scoring", "judge")
}
# what trains and judges models on simulated lines
MAY_KNOW |= {f"twin.{name}" for name in ("curriculum", "lessons", "teaching", "training", "model_scores")}
MAY_KNOW |= {
    f"twin.{name}"
    for name in ("evaluate_models", "models_report", "models_card", "lessons_recorded", "cli_train", "cli_models")
}


def test_only_the_service_and_tests_know_the_simulators() -> None:
    for name, tree in modules("twin").items():
        used = {t for t in imports(tree, name, frozenset()) if t.split(".")[0] in ("simulators", "models", "tests")}
        assert not used or name in MAY_KNOW, f"{name} uses {', '.join(sorted(used))}"
