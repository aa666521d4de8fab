"""The CSV backend keeps the contract of backends."""

import csv

from neural_csv import CsvBackend

from neural_core.testing import BackendContract, ReadBack


class TestCsvBackend(BackendContract):
    """Every test of the contract, with a folder of CSV files."""

    def make_backend(self, tmp_path):
        """Give a backend that writes to `tmp_path`."""
        return CsvBackend(folder=str(tmp_path))

    def read_back(self, tmp_path, experiment):
        """Read the experiment's file with Python's own reader."""
        with (tmp_path / f"{experiment.experiment_id}.csv").open(newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))
        return ReadBack([(metric, int(step) if step else None, float(value)) for _, _, step, metric, value in lines])
