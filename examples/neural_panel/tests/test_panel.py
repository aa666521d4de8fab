"""The panel draws a line for each experiment that has both losses."""

import pytest
from neural_panel import Gap

from neural_core import ExperimentTracker
from neural_core.reading import ExperimentStore, Window


@pytest.fixture
def store(tmp_path):
    """Two experiments, of which one has no validation loss."""
    for name, metrics in (("both", ["train/loss", "val/loss"]), ("one", ["train/loss"])):
        with ExperimentTracker(name, tmp_path, auto_visualize=False) as tracker:
            for step in range(10):
                tracker.log_metrics({metric: step + len(metric) for metric in metrics}, step=step)
    return ExperimentStore(tmp_path)


def test_figure(store):
    """The line is the difference at each step, in the experiment's colour."""
    runs = store.listed().runs
    ids = [run.id for run in runs]
    figure = Gap().figure(runs, lambda metric: store.read_series(ids, metric, "step", Window()))
    [line] = figure["data"]
    assert line["name"] == "both"
    assert line["y"].tolist() == [-2.0] * 10
    assert line["line"]["color"].startswith("#")
