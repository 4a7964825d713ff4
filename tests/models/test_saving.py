"""Model files: what was saved comes back, what cannot be trusted or does not fit is refused with what to do."""

import dataclasses
import json
import os
import stat
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from models import saving
from models.card import card
from models.detectors import fit
from models.drift import refer
from models.errors import ModelError
from models.saving import TRUSTED, Metadata, describe, load, save
from tests.models.tables import table

SAID = Metadata(
    "", (), signal_set="v1:abc", title="Trial", data="4 groups, 400 rows each.", made="2026-11-24T06:00:00Z",
    seeds=(3, 4), parameters={"false_alarms": 0.001, "method": "pca"},
    scores={"recall": 0.91, "precision": float("nan")},
    limits=("Never saw a | winter.",),
)  # fmt: skip


@cache
def model() -> Any:
    return fit("isolation_forest", table(2, 60, 1), seed=3, parameters={"trees": 3})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(tmp_path / "trial.model", model(), SAID)
    return tmp_path / "trial.model"


def rewritten(file: Path, **changed: Any) -> Path:
    """The same file with another description."""
    with zipfile.ZipFile(file) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    said = json.loads(parts["metadata.json"]) | changed
    parts["metadata.json"] = json.dumps(said).encode()
    with zipfile.ZipFile(file, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return file


def test_a_file_says_what_it_is_before_it_is_loaded(file: Path) -> None:
    said = describe(file)
    assert (said.kind, said.columns) == ("detector.isolation_forest", model().columns)
    assert said.versions.keys() == {"numpy", "scikit-learn", "skops"}
    for name in ("signal_set", "title", "data", "made", "seeds", "parameters", "limits"):
        assert getattr(said, name) == getattr(SAID, name)
    assert said.scores["recall"] == 0.91
    assert np.isnan(said.scores["precision"])
    assert said == dataclasses.replace(load(file)[1], scores=said.scores)


def test_a_model_is_loaded_where_everything_fits(file: Path) -> None:
    loaded, _ = load(file, columns=list(model().columns), signal_set="v1:abc", kind="detector.isolation_forest")
    assert loaded.columns == model().columns


@pytest.mark.parametrize(
    ("use", "says"),
    [
        ({"columns": ("c3", *("x",))}, r"is for other columns: it wants anode.*c7 and it does not know x; train it"),
        ({"columns": "reversed"}, "the same names in another order"),
        ({"signal_set": "v2"}, "trained for the signal set 'v1:abc', here is 'v2'; train it again"),
        ({"kind": "warning"}, "kind 'detector.isolation_forest', not 'warning'; give another file"),
    ],
)
def test_a_model_for_something_else_is_refused(file: Path, use: dict[str, Any], says: str) -> None:
    if use.get("columns") == "reversed":
        use = {"columns": model().columns[::-1]}
    with pytest.raises(ModelError, match=says):
        load(file, **use)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"format": 2}, "has format 2, this version reads 1; train the model again with this version"),
        ({"format": None}, "has format None"),
        ({"versions": {"scikit-learn": "1.2.3"}}, "made with scikit-learn 1.2, here is .*: train it again"),
        ({"versions": {}}, "of no known version"),
        ({"kind": "oracle"}, "kind 'oracle' of a model is not known"),
        ({"kind": "detector.pca"}, "cannot be read as a model"),
        ({"surprise": 1}, "cannot be read as a model"),
        ({"columns": None}, "cannot be read as a model"),
    ],
)
def test_another_format_version_or_kind_is_refused(file: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        load(rewritten(file, **changed))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_short_is_refused(file: Path, part: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ModelError, match=r"cannot be read as a model .* train again"):
        load(file)


def test_a_file_with_one_wrong_byte_is_never_loaded_as_something_else(file: Path) -> None:
    content = file.read_bytes()
    wanted = load(file)[0]
    rows = table(1, 20, 4)
    scores = wanted.score(wanted.start(), rows)[1]
    chance = np.random.default_rng(0)
    refused = 0
    for place in chance.integers(0, len(content), 60):
        broken = bytearray(content)
        broken[place] ^= 0x55
        file.write_bytes(bytes(broken))
        try:
            loaded, _ = load(file)
        except ModelError:
            refused += 1
        else:  # a byte that says nothing, such as the time of a member
            assert np.array_equal(loaded.score(loaded.start(), rows)[1], scores)
    assert refused > 40


def test_what_is_no_model_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model file"):
        load(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ModelError, match="cannot be read as a model"):
        describe(tmp_path / "text")
    with pytest.raises(ModelError, match="cannot be read as a model"):
        load(tmp_path)
    (tmp_path / "bare").write_bytes(skops.io.dumps({"a": 1}))
    with pytest.raises(ModelError, match="is no model file of this product"):
        load(tmp_path / "bare")


class Trap:
    """What skops would make by calling a class that is not trusted."""

    def __init__(self) -> None:
        self.value = 1


def test_types_that_no_model_is_made_of_are_refused_by_name(tmp_path: Path) -> None:
    wicked = dataclasses.replace(model(), model=Trap())
    save(tmp_path / "wicked", wicked, SAID)
    with pytest.raises(ModelError, match=r"holds tests\.models\.test_saving\.Trap.*do not use this file"):
        load(tmp_path / "wicked")


def test_the_list_of_trusted_types_is_what_models_need_and_no_more(tmp_path: Path, monkeypatch: Any) -> None:
    save(tmp_path / "forest", model(), SAID)
    needed = skops.io.get_untrusted_types(file=tmp_path / "forest")
    assert needed == ["sklearn.tree._tree.Tree"]
    assert set(needed) < set(TRUSTED)
    monkeypatch.setattr(saving, "TRUSTED", ())
    with pytest.raises(ModelError, match=r"holds sklearn\.tree\._tree\.Tree"):
        load(tmp_path / "forest")


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(file: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(saving, "LARGEST_BYTES", 1000)
    with pytest.raises(ModelError, match="more than the 1000 of a model file"):
        load(file)


def test_a_file_is_written_whole_or_not_at_all(file: Path, monkeypatch: Any) -> None:
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match=r"cannot be written.*No space left"):
        save(file, model(), SAID)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == [file.name]
    with pytest.raises(ModelError, match="choose a folder that is there"):
        save(file.parent / "none" / "x", model(), SAID)


def test_others_may_read_a_model_file(file: Path) -> None:
    umask = os.umask(0o022)
    try:
        save(file, model(), SAID)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_only_models_are_saved(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a Metadata cannot be saved; it must be one of detector"):
        save(tmp_path / "x", SAID, SAID)


def test_a_drift_reference_is_a_model_file_too(tmp_path: Path) -> None:
    reference = refer(table(2, 200, 1))
    save(tmp_path / "drift", reference, SAID)
    loaded, said = load(tmp_path / "drift", kind="drift")
    assert said.kind == "drift"
    assert np.array_equal(loaded.edges, reference.edges)
    assert (loaded.rows, loaded.columns) == (400, reference.columns)


def test_the_card_holds_what_the_file_says(file: Path) -> None:
    text = card(describe(file))
    assert text == card(load(file)[1])
    assert text.startswith("# Trial\n\nKind `detector.isolation_forest`, format 1. Made 2026-11-24T06:00:00Z.\n")
    for part in (
        "4 groups, 400 rows each.", "Signal set: `v1:abc`. Seeds: 3, 4.", "| recall | 0.91 |",
        "| precision | not known |",
        "- Never saw a | winter.", "| false_alarms | 0.001 |", "| method | pca |", "## Features (8)",
        "`c7`", "| numpy |",
    ):  # fmt: skip
        assert part in text


def test_a_card_says_what_is_not_known() -> None:
    text = card(Metadata("warning", ("a|b`",), scores={"x|y": 1.0}))
    assert text.startswith("# warning\n")
    for part in ("Not described.", "bound to column names only", "none given", "does not mean", "`a|b'`", "x\\|y"):
        assert part in text
