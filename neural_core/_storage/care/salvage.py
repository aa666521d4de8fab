"""A copy of everything that is sound of a damaged experiment, elsewhere. The damaged one is not touched.

Parts keep their names and positions, documents that are sound are taken as they are, artifacts whose SHA-256 fits.
Then the copy is brought to its end as any experiment is, and a fact and a tag in it say what was lost.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from neural_core._storage.artifacts.copying import copy_file
from neural_core._storage.artifacts.documents import read_documents, to_document
from neural_core._storage.artifacts.source import open_source
from neural_core._storage.artifacts.trees import copy_tree
from neural_core._storage.artifacts.verify import problem_on_the_way
from neural_core._storage.care.finalise import end_dead
from neural_core._storage.care.removal import FACT
from neural_core._storage.care.salvage_parts import save_compacted, save_journal
from neural_core._storage.experiment.documents import read_document, write_document
from neural_core._storage.experiment.overview import last_sign
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import DOCUMENTS, State
from neural_core._storage.folder import make_parts
from neural_core._storage.index.find import refuse_live
from neural_core._storage.journal import facts_file
from neural_core._storage.journal.journal_part import JournalPart
from neural_core._storage.journal.parts import SUFFIX
from neural_core._storage.writing.edits import edit
from neural_core.errors import ArgumentValueError, DamagedError, NeuralError
from neural_core.records import ArtifactVersion

__all__ = ["Salvaged", "salvage"]

TAG = "salvaged"


@frozen
class Salvaged:
    """What a salvage came to.

    Attributes:
        directory: the new experiment.
        rows: rows that were saved.
        artifacts: versions that were saved.
        lost: one sentence for each thing that was not.
    """

    directory: Path
    rows: int
    artifacts: int
    lost: tuple[str, ...]


def salvage(directory: Path, target_base: Path) -> Salvaged:
    """Copy what is sound of an experiment into a new folder of its name in `target_base`.

    Raises:
        ArgumentValueError: the target lies in the experiment, or holds something of that name.
        ExperimentInUseError: a process still writes it.
        DamagedError: nothing in it says which experiment it is.
        OSError: the disk refuses.
    """
    target = target_base / directory.name
    if target.exists() or target_base.resolve().is_relative_to(directory.resolve()):
        raise ArgumentValueError(f"{target} is there already, or part of what is to be saved: name another folder")
    refuse_live(directory, "Nothing was copied: stop it first, or wait for its end.")
    reader = RunReader(directory, remember=False)
    reader.refresh()
    reader.check()
    state, damage = reader.state()
    lost = [f"{one.file}: {one.problem}" for one in damage]
    uid = state.uid or next((str(part.header["uid"]) for part in reader.parts if part.header.get("uid")), "")
    if not uid:
        raise DamagedError(f"{directory}: neither its documents nor its journal say which experiment this is")
    target_base.mkdir(parents=True, exist_ok=True)
    make_parts(target)
    try:
        lost += _save_parts(reader, uid, target)
        saved = _save_files(directory, state, target, lost)
        state.uid, state.name = uid, state.name or directory.name
        _end(directory, target, state, saved, lost)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    copy = RunReader(target)
    return Salvaged(target, copy.rows, len(saved), tuple(lost))


def _save_parts(reader: RunReader, uid: str, target: Path) -> Iterator[str]:
    metrics = reader.path / "metrics"
    names = {path.name for path in metrics.iterdir()}
    compacted, journals = facts_file.parts_among(names)
    compacted |= {name.removesuffix(".parquet") for name in names if name.endswith(".parquet")}
    for stem in sorted(compacted | journals):
        try:
            if stem in journals:  # it is still the record, or as whole as what was made of it
                yield from _save_one_journal(metrics / f"{stem}{SUFFIX}", uid, target)
            else:
                for problem in save_compacted(metrics, stem, target / "metrics"):
                    yield f"metrics/{stem}: {problem}"
        except DamagedError as error:
            yield str(error)


def _save_one_journal(path: Path, uid: str, target: Path) -> Iterator[str]:
    part = JournalPart(path)
    part.refresh()
    part.check()
    save_journal(part, uid, target / "metrics" / path.name)
    for one in part.damage:
        yield f"{one.file}, byte {one.offset or 0:,}: {one.problem}"
    if part.tail:
        yield f"metrics/{path.name}: the last {part.tail} bytes are no whole frame"


def _save_files(directory: Path, state: State, target: Path, lost: list[str]) -> set[Path]:
    """Copy documents, artifacts and plots; give the artifacts that were saved, by their paths in the copy."""
    for name in DOCUMENTS:
        with contextlib.suppress(OSError, DamagedError):
            read_document(directory / f"{name}.json")
            shutil.copyfile(directory / f"{name}.json", target / f"{name}.json")
    for name in ("plots", "delivery"):
        for path in [] if (directory / name).is_symlink() else sorted((directory / name).glob("*")):
            if path.is_file() and not path.is_symlink():
                (target / name).mkdir(exist_ok=True)
                shutil.copyfile(path, target / name / path.name)
    versions, unreadable = read_documents(state.artifacts, directory)
    lost += [f"{one.file}: {one.problem}" for one in unreadable]
    saved = set()
    for one in versions:
        problem = _save_artifact(directory, one, target)
        if problem is None:
            saved.add(target / one.path.relative_to(directory))
        else:
            number = "" if one.version is None else f" v{one.version}"
            lost.append(f"artifact {one.artifact_name}{number}: {problem}")
    return saved


def _save_artifact(directory: Path, one: ArtifactVersion, target: Path) -> str | None:
    """Copy a version and hash it on the way; say why it is not sound, or give None."""
    problem = problem_on_the_way(directory, one.path)
    if problem is not None:
        return problem
    place = target / one.path.relative_to(directory)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # a figure was copied with the plots
    try:
        if one.is_tree:
            copied = copy_tree(one.path, place)
        else:
            with open_source(one.path, follow=False) as source:
                copied = copy_file(source, place)
    except (NeuralError, OSError) as error:
        problem = str(error)
    else:
        problem = None if copied.sha256 == one.checksum else "holds other bytes than were stored"
    if problem is not None:
        _discard(place, target)
    return problem


def _discard(place: Path, target: Path) -> None:
    """Remove what was copied of a version, and the folders that are empty without it."""
    if place.parent.parent == target:  # a figure: its folder is that of the plots
        place.unlink(missing_ok=True)
        return
    shutil.rmtree(place.parent)
    with contextlib.suppress(OSError):
        place.parent.parent.rmdir()


def _end(directory: Path, target: Path, state: State, saved: set[Path], lost: list[str]) -> None:
    """Let the copy be an experiment at its end: what was lost is off the record, and said."""
    if not (target / "metadata.json").exists():
        write_document(target / "metadata.json", state.document("metadata", {}))
    end_dead(target, last_sign(directory), force=True)
    versions, _ = read_documents(RunReader(target).state()[0].artifacts, target)
    gone = [to_document(one, target) for one in versions if one.path not in saved]
    facts = [{"kind": FACT, "artifacts": gone}] if gone else []
    tag = f"{len(lost)} lost" if lost else "whole"
    edit(target, *facts, {"kind": "salvage", "lost": lost}, {"kind": "annotations_changed", "tags": {TAG: tag}})
