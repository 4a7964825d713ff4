"""Model files: one file in skops' format, never pickle, with a description that is checked before all else.

The file is a zip. `metadata.json` says what the model is; skops' own members hold its parts: names, numbers, arrays and
scikit-learn estimators. Classes of this package are not in it: a model is made again from its parts, as the class that
its kind names in `KINDS`. Types that skops does not know as harmless must be in `TRUSTED`, or the file is refused.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import metadata as installed
from pathlib import Path
from typing import Any

from models.errors import ModelError

__all__ = ["FORMAT", "TRUSTED", "Metadata", "describe", "load", "save", "versions"]

FORMAT = 1
TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",  # early warning, diagnosis
    "sklearn.tree._tree.Tree",  # isolation forest
)
LARGEST_BYTES = 1_000_000_000  # of all members, unpacked
_DESCRIPTION = "metadata.json"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of its model. `signal_set`: one word or hash for names and units of the columns, as the caller
    makes it; "" binds the model to the names of its columns only."""

    kind: str
    columns: tuple[str, ...]
    signal_set: str = ""
    title: str = ""
    data: str = ""  # what it was trained on, in words
    made: str = ""  # when, as text
    seeds: tuple[int, ...] = ()
    parameters: dict[str, float | str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    limits: tuple[str, ...] = ()  # what it cannot do, one sentence each
    format: int = FORMAT
    versions: dict[str, str] = field(default_factory=dict)


def versions() -> dict[str, str]:
    """Versions of what a model is made of, as installed."""
    return {name: installed.version(name) for name in ("numpy", "scikit-learn", "skops")}


def save(path: Path, model: Any, metadata: Metadata) -> Metadata:
    """Write a model, all or nothing: a file that was there stays until the new one is whole.

    Kind, columns, format and versions are those of the model and of this installation, whatever `metadata` says of
    them. Returns what was written. Raises ModelError.
    """
    import skops.io

    from models.kinds import kind_of

    said = {f.name: getattr(metadata, f.name) for f in fields(metadata)}
    said |= {"kind": kind_of(model), "columns": tuple(model.columns), "format": FORMAT, "versions": versions()}
    written = Metadata(**said)
    parts = {part.name: getattr(model, part.name) for part in fields(model)}
    packed = io.BytesIO(skops.io.dumps(parts, compression=zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr(_DESCRIPTION, json.dumps(asdict(written), indent=1, ensure_ascii=False, allow_nan=True))
    _write(path, packed.getvalue())
    return written


def describe(path: Path) -> Metadata:
    """What a file says of its model, without loading it. Raises ModelError: unreadable, no model, another format."""
    with _opened(path) as file:
        return _metadata(path, file)


def load(
    path: Path, *, columns: Sequence[str] | None = None, signal_set: str | None = None, kind: str = ""
) -> tuple[Any, Metadata]:
    """A model and what its file says of it.

    columns: what it will be given, in order; signal_set: as it was when saved; kind: its kind or the beginning of it
    (`detector`, `warning`, `diagnosis`). Each is checked where given. Raises ModelError when the file is damaged, is of
    another format or version, holds types that are not trusted, or is for other data; it says what to do.
    """
    import skops.io

    from models.kinds import class_of

    with _opened(path) as file:
        metadata = _metadata(path, file)
    _check_use(path, metadata, columns, signal_set, kind)
    try:
        content = path.read_bytes()
        strange = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED))
    except Exception as error:  # skops lets errors of any type through on a damaged schema
        raise _damaged(path, error) from error
    if strange:
        raise ModelError(
            f"{path} holds {', '.join(strange)}, which no model of this product is made of; do not use this file, "
            "train the model again"
        )
    try:
        parts = skops.io.loads(content, trusted=list(TRUSTED))
        return class_of(metadata.kind)(**parts), metadata
    except ModelError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(member.file_size for member in file.infolist())
            if size > LARGEST_BYTES:
                raise ModelError(f"{path} unpacks to {size} bytes, more than the {LARGEST_BYTES} of a model file")
            broken = file.testzip()
            if broken is not None:
                raise ModelError(f"{path} is damaged in {broken}; take it from a copy, or train the model again")
            yield file
    except FileNotFoundError as error:
        raise ModelError(
            f"there is no model file {path}; give the path of a file that was saved by training"
        ) from error
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path} cannot be read as a model ({type(error).__name__}: {error}); take it from a copy, or train again"
    )


def _metadata(path: Path, file: zipfile.ZipFile) -> Metadata:
    if _DESCRIPTION not in file.namelist():
        raise ModelError(f"{path} is no model file of this product: it has no {_DESCRIPTION}; train the model again")
    try:
        said: dict[str, Any] = json.loads(file.read(_DESCRIPTION))
        found = said["format"]
        if found == FORMAT:
            for name in ("columns", "seeds", "limits"):
                said[name] = tuple(said[name])
            return Metadata(**said)
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(path, error) from error
    raise ModelError(
        f"{path} has format {found!r}, this version reads {FORMAT}; train the model again with this version"
    )


def _check_use(
    path: Path, metadata: Metadata, columns: Sequence[str] | None, signal_set: str | None, kind: str
) -> None:
    if not metadata.kind.startswith(kind):
        raise ModelError(f"{path} holds a model of the kind {metadata.kind!r}, not {kind!r}; give another file")
    theirs, mine = (_release(said.get("scikit-learn", "")) for said in (metadata.versions, versions()))
    if theirs != mine:
        raise ModelError(
            f"{path} was made with scikit-learn {theirs or 'of no known version'}, here is {mine}; a model is only "
            "read by the version that made it: train it again"
        )
    if columns is not None and tuple(columns) != metadata.columns:
        raise ModelError(f"{path} is for other columns: {_difference(metadata.columns, columns)}; train it again")
    if signal_set is not None and signal_set != metadata.signal_set:
        raise ModelError(
            f"{path} was trained for the signal set {metadata.signal_set!r}, here is {signal_set!r}; train it again"
        )


def _release(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _difference(theirs: Sequence[str], mine: Sequence[str]) -> str:
    gone, new = [name for name in theirs if name not in mine], [name for name in mine if name not in theirs]
    parts = [f"it wants {', '.join(gone)}"] if gone else []
    parts += [f"it does not know {', '.join(new)}"] if new else []
    return " and ".join(parts) or "the same names in another order"


def _write(path: Path, content: bytes) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error}; choose a folder that is there and writable") from error
