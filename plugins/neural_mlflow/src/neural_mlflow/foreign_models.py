"""The logged models of MLflow 3, which stand beside the run that made them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from neural_core.errors import ArtifactError
from neural_core.importing import ImportTarget
from neural_mlflow.place import path_in
from neural_mlflow.sdk import RefusedError, spoken

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from neural_mlflow.place import Place

__all__ = ["Model", "models_of"]


@frozen
class Model:
    """One model.

    Attributes:
        model_id: MLflow's.
        name: as the script called it.
        folder: where it lies, None when it does not lie here.
    """

    model_id: str
    name: str
    folder: Path | None

    def write_to(self, target: ImportTarget) -> None:
        """Store it; one that does not lie here or cannot be read is counted."""
        with contextlib.suppress(ArtifactError, OSError):
            if self.folder is not None:
                target.log_artifact(self.folder, self.name, kind="model", metadata={"mlflow.model_id": self.model_id})
                return
        target.leave_out("logged models")


def models_of(client: MlflowClient, place: Place, run: Run) -> list[Model]:
    """Give the models that a run made, in the order of MLflow."""
    made = getattr(getattr(run, "outputs", None), "model_outputs", None) or ()
    return [_model(client, place, output.model_id) for output in made]


def _model(client: MlflowClient, place: Place, model_id: str) -> Model:
    try:
        with spoken(place):
            found = client.get_logged_model(model_id)
    except RefusedError:
        return Model(model_id, model_id, None)
    uri = found.artifact_location or ""
    path = Path(path_in(uri))
    store = place.folder if place.database is None else place.database.parent
    here = [path] if urlsplit(uri).scheme in ("file", "") and path.is_absolute() else []
    if store is not None:  # moved as a whole: <store>/<experiment>/models/<id>/artifacts
        here.append(store.joinpath(*path.parts[-5:] if place.folder is None else path.parts[-4:]))
    return Model(model_id, found.name or model_id, next((one.resolve() for one in here if one.is_dir()), None))
