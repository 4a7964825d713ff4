"""`python -m dashboards [--check] [--plan FILE] [--plant FILE] [--out FOLDER]`: write the files, or compare.

Without arguments the checked-in files, for the packaged plan and plant; `--check` ends with 1 when one is not current.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dashboards.generate import generated
from dashboards.tables import Source
from twin import kpis, plan, plant

__all__ = ["main", "source_of"]

HERE = Path(__file__).parent
TWIN = HERE.parent / "twin"
PLAN, PLANT = TWIN / "plans" / "china-2025-2027.toml", TWIN / "plants" / "demo.toml"
OUT = HERE / "generated"


def source_of(plan_file: Path = PLAN, plant_file: Path = PLANT) -> Source:
    """Read the two files. Raises ConfigError."""
    return Source(
        plan.parse(plan_file.read_text("utf-8"), str(plan_file), kpis.METRICS),
        plant.parse(plant_file.read_text("utf-8"), str(plant_file)),
    )


def main(arguments: list[str]) -> int:
    """Write every file that is not current and remove what is no longer made, or say which."""
    check = "--check" in arguments
    words = [word for word in arguments if word != "--check"]
    options = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or set(options) - {"--plan", "--plant", "--out"}:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    source = source_of(Path(options.get("--plan", PLAN)), Path(options.get("--plant", PLANT)))
    out = Path(options.get("--out", OUT))
    texts = generated(source)
    there = {str(path.relative_to(out)): path.read_text("utf-8") for path in out.rglob("*") if path.is_file()}
    stale = sorted(name for name in texts.keys() | there.keys() if texts.get(name) != there.get(name))
    if check:
        if stale:
            sys.stderr.write(f"{out}: {', '.join(stale)} is out of date; run python -m dashboards\n")
        return 1 if stale else 0
    for name in stale:
        # only among the checked-in files is a file that is not made any more ours for sure
        path = out / name
        if name in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[name], "utf-8")
        elif out == OUT:
            path.unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
