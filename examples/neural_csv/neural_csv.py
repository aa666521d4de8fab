"""Mirror every metric into one CSV file for each experiment: part, position, step, metric, value."""

import csv
from pathlib import Path

from neural_core import hookimpl


class CsvBackend:
    """Makes ``<folder>/<experiment id>.csv``; without `folder`, ``metrics.csv`` beside the experiment."""

    def __init__(self, folder=None):
        self.folder = folder and Path(folder).absolute()

    def destination(self):
        """Say where it delivers to: another folder gets everything, too."""
        return str(self.folder or "")

    @hookimpl
    def neural_experiment_started(self, experiment):
        """Open the file; cut off a line that a killed process left unfinished, as its row comes again."""
        path = self.folder / f"{experiment.experiment_id}.csv" if self.folder else experiment.directory / "metrics.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("a", newline="", encoding="utf-8")
        self.file.truncate(path.read_bytes().rfind(b"\n") + 1)
        self.writer = csv.writer(self.file)

    @hookimpl
    def neural_metrics_logged(self, rows):
        """Write a line for each value, and hand it to the system before saying that it is done."""
        for position, row in zip(rows.positions, rows, strict=True):
            self.writer.writerows((rows.part, position, row.step, *pair) for pair in row.values.items())
        self.file.flush()

    @hookimpl
    def neural_experiment_finished(self):
        """Close the file."""
        self.file.close()
