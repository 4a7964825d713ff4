"""`twin models train` and `twin evaluate models`: lessons, training, and the scoreboard of the models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.errors import ModelError
from models.saving import load as load_model
from twin.cli_options import ConfigOption, SetOption, product_version, settings_of
from twin.curriculum import Course
from twin.errors import ConfigError
from twin.lessons import Lesson, names_of, open_lesson, simulated, write_lesson
from twin.parts import engine_of, roster_of
from twin.plan import Plan
from twin.plant import Roster
from twin.progress import Progress
from twin.scoring import load, packaged, signal_set
from twin.settings import Settings

__all__ = ["EVALUATION", "TRAINING", "evaluate_models", "train"]

# seeds 5001-: training and tuning; 2001-2010: judging, and nothing else (2001 and 2002 have judged earlier models)
TRAINING = (
    Course(5001, 300, 8.0), Course(5002, 200, 8.0), Course(5101, 16, 14.0, only="line"),
    Course(5102, 16, 14.0, only="line"),
)  # fmt: skip
EVALUATION = (
    Course(2003, 100, 6.0, (0.5, 1.5)), Course(2004, 60, 3.0, (1.0, 1.0), clean=True),
    Course(2005, 16, 14.0, (0.5, 1.5), only="line"), Course(2006, 16, 14.0, (0.5, 1.5), only="line"),
)  # fmt: skip
TRAIN_EVERY_MIN, JUDGE_EVERY_MIN = 5, 1
TRAIN_STEP_S, JUDGE_STEP_S = 5.0, 1.0
KEPT = "unusual.skops"
FolderOption = Annotated[
    Path, typer.Option("--lessons", help="Folder for lessons: some GB; what is there is used again.")
]


def _shown(progress: Progress) -> Callable[[int], None]:
    return lambda now_ns: progress.show(now_ns, "")


def _lessons(
    settings: Settings, folder: Path, courses: Sequence[Course], every_min: int, step_s: float
) -> tuple[list[Lesson], Roster, Plan]:
    """Lessons of courses, made where they are not there yet."""
    roster = roster_of(settings)
    plan, found = engine_of(settings, roster).plan, []
    for course, name in zip(courses, names_of(courses), strict=True):
        run = simulated(roster, plan, course, step_s)
        with Progress(f"lesson {name}", run.now_ns, run.end_ns) as progress:
            write_lesson(folder, name, run, every_min=every_min, told=_shown(progress))
        found.append(open_lesson(folder, name))
    return found, roster, plan


def _recorded(settings: Settings, folder: Path, sources: Sequence[str]) -> list[Lesson]:
    """Lessons of recordings with labels beside them: FILE.parquet and FILE.causes.json."""
    from twin.lessons_recorded import Recorded
    from twin.recording import Selection, Skipped
    from twin.recordings import recording_of, router_of

    found = []
    for source in sources:
        router = router_of(source, settings)
        roster = router.roster
        plan, labels = engine_of(settings, roster).plan, Path(source).with_suffix(".causes.json")
        for line in roster.line_codes():
            recording = recording_of(source, settings, router, Selection(), Skipped(keep=True), None)
            name = f"{Path(source).stem}-{roster.paths[line].replace('/', '-')}"
            run = Recorded(recording, roster, plan, line, labels, f"recording {source}, line {roster.paths[line]}")
            with Progress(f"lesson {name}") as progress:
                write_lesson(folder, name, run, every_min=TRAIN_EVERY_MIN, told=_shown(progress))
            found.append(open_lesson(folder, name))
    return found


def train(
    lessons: FolderOption,
    to: Annotated[Path, typer.Option("--to", help="Folder for the model files and their card.")],
    recording: Annotated[
        list[str] | None,
        typer.Option(help="Train on recordings (with FILE.causes.json beside) instead of simulated lines; repeat."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the training itself.")] = 1,
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Train diagnosis, early warning and the detector of what is unusual; write the files and a card."""
    from twin.models_card import card
    from twin.training import train as fit_all
    from twin.training import write

    settings = settings_of(config, words)
    taught = _recorded(settings, lessons, recording) if recording else None
    if taught is None:
        taught, _, _ = _lessons(settings, lessons, TRAINING, TRAIN_EVERY_MIN, TRAIN_STEP_S)
    names = [lesson.name for lesson in taught]
    with Progress("training") as progress:
        trained = fit_all(taught, seed=seed, told=progress.say)
    data = f"{len(taught)} lessons: {', '.join(names)}; {sum(len(lesson.values) for lesson in taught):,} rows of pots"
    command = "twin models train" + "".join(f" --recording {one}" for one in recording or []) + f" --seed {seed}"
    about = write(
        to, trained, data=data, made=f"{command} (smelter-twin {product_version()})", seeds=_seeds(taught, seed)
    )
    (to / "MODEL-CARD.md").write_text(card(about, taught), "utf-8")
    Console().print(f"models written to {to}")


def _seeds(lessons: Sequence[Lesson], seed: int) -> tuple[int, ...]:
    found = [course.seed for course in TRAINING for name in names_of([course]) if name in {one.name for one in lessons}]
    return (*found, seed)


def evaluate_models(
    lessons: FolderOption,
    models: Annotated[Path | None, typer.Option(help="Folder of model files; left out: those of the product.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the page here (.md), and its plots beside in images/.")] = None,
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Judge the models on simulated lines of other seeds, pots and severities than they were trained on."""
    from twin.evaluate_models import evaluate
    from twin.models_report import draw, markdown, page

    settings = settings_of(config, words)
    folder = models or packaged()
    try:
        judges = load(folder)
        files = sorted(folder.glob("detector-*.skops"))
        detectors = [load_model(file, signal_set=signal_set(), kind="detector")[0] for file in [folder / KEPT, *files]]
    except ModelError as error:
        raise ConfigError(str(error)) from error
    taught, _, _ = _lessons(settings, lessons, EVALUATION, JUDGE_EVERY_MIN, JUDGE_STEP_S)
    with Progress("judging") as progress:
        found = evaluate(judges, detectors, taught, progress.say)
    lines = ", ".join(lesson.name for lesson in taught)
    made = f"Lines {lines}; {found.pot_days:.0f} pot-days; models: {judges.about['pots'].made}."
    text = markdown(found, made, ())
    Console().print(text, markup=False)
    if to is not None:
        to.write_text(page(to.read_text("utf-8") if to.exists() else "", text), "utf-8")
        (to.parent / "images").mkdir(exist_ok=True)
        draw(found, to.parent / "images")
