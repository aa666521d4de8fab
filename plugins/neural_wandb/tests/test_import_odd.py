"""`neural import wandb`: what W&B's own API can also write, and files that name what is not theirs."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
import wandb
from neural_wandb.local_files import find_files, saved_file
from neural_wandb.values import as_mapping, value_of
from test_importing import begin, bring, end, only
from wandb.proto.wandb_internal_pb2 import ArtifactRecord, HistoryItem


def test_nested_values(tmp_path: Path) -> None:
    """Numbers at any depth come in under names with dots; whatever is no number, at any depth, is counted."""
    run = begin(tmp_path, "nested")
    run.log({"val": {"deep": {"er": 1.5}, "text": "t", "picture": wandb.Image(np.zeros((4, 4, 3), np.uint8))}})
    run.log({"list": [1, 2], "none": None, "inf": math.inf, "low": -math.inf, "nan": math.nan})
    run.summary["best"] = {"of": {"all": 0.25}, "said": "text"}
    run.summary["_own"] = 3
    end(run)
    one, found = only(bring(tmp_path, tmp_path / "base"), tmp_path / "base")
    first, second, ends = (dict(row.values) for row in found.metrics_history)
    assert (first, ends) == ({"val.deep.er": 1.5}, {"best.of.all": 0.25, "_own": 3.0})
    assert repr(sorted(second.items())) == "[('inf', inf), ('low', -inf), ('nan', nan)]"
    assert one.left_out == {"images": 1, "texts": 1, "other values": 1, "values of the summary": 1}


def test_what_cannot_be_kept(tmp_path: Path) -> None:
    """A value without a name is counted, and takes neither its neighbours nor its run along."""
    run = begin(tmp_path, "nameless")
    run.log({"loss": 2.0})
    run.summary.update({"": 1.0, "best": 0.5})
    end(run)
    one, found = only(bring(tmp_path, tmp_path / "base"), tmp_path / "base")
    assert [dict(row.values) for row in found.metrics_history] == [{"loss": 2.0}, {"best": 0.5}]
    assert one.left_out == {"values that cannot be kept": 1}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{no JSON"])
def test_what_is_no_json(text: str) -> None:
    """What a file says in JSON that nobody can read is text; where a mapping is looked for it is an empty one."""
    assert value_of(HistoryItem(key="a", value_json=text)) == text
    assert as_mapping(text) == {}


def test_two_projects(tmp_path: Path) -> None:
    """Runs of one id in two projects are two experiments."""
    for project in ("one", "two"):
        run = begin(tmp_path, "same", project=project)
        run.log({"loss": 1.0})
        end(run)
    imported = bring(tmp_path, tmp_path / "base")
    assert [(one.outcome, one.rows) for one in imported] == [("new", 1), ("new", 1)]
    assert len({one.experiment_id for one in imported}) == 2


@pytest.mark.parametrize("path", ["/etc/hostname", "../secret.txt", "a/../../../secret.txt", ""])
def test_paths_that_lead_out(tmp_path: Path, path: str) -> None:
    """A file that a damaged or forged record names outside of its run is none of the run's."""
    folder = tmp_path / "run"
    (folder / "files").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "secret.txt").write_text("secret")
    assert saved_file(folder, path) is None


CUT = gzip.compress(b'{"path": "a"}')[:-4]


@pytest.mark.parametrize("content", [None, b"no gzip", CUT], ids=["none", "no gzip", "cut"])
def test_a_list_of_files_that_went(tmp_path: Path, content: bytes | None) -> None:
    """An artifact whose list of files, a file of its own, is gone or cut is not here; others are still brought in."""
    file = tmp_path / "list.gz"
    if content is not None:
        file.write_bytes(content)
    record = ArtifactRecord()
    record.manifest.manifest_file_path = str(file)
    assert find_files(tmp_path, record) is None
