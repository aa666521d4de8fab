"""Every error that neural raises.

    NeuralError
    ├── ArgumentError                     a call was given something it cannot keep; nothing was stored
    │   ├── ArgumentTypeError             (also a TypeError)
    │   └── ArgumentValueError            (also a ValueError)
    ├── ConfigurationError                raised at construction, with the remedy (also a ValueError)
    │   └── NotInstalledError             a backend or the UI is not installed (also an ImportError)
    ├── ExperimentNotFoundError           no experiment has this id (also a LookupError)
    ├── AmbiguousExperimentError          several experiments have this id (also a LookupError)
    ├── ExperimentInUseError              its writer is alive (also a RuntimeError)
    ├── EditConflictError                 somebody else edited the experiment in between (also a RuntimeError)
    ├── ExperimentFinishedError           logged to after finish() (also a RuntimeError)
    ├── ArtifactError                     an artifact could not be stored or opened (also an OSError)
    │   ├── ArtifactNotFoundError         (also a FileNotFoundError)
    │   ├── ArtifactRefusedError          a pipe, a device, a link that leads nowhere
    │   └── ArtifactChangedError          it changed while it was read, or its stored bytes did
    ├── DeliveryError                     a plugin failed; raised only with NEURAL_STRICT=1 (also a RuntimeError)
    ├── QueryError                        a where= or order_by= that does not parse (also a ValueError)
    ├── DamagedError                      stored bytes that are not what was written (also a ValueError)
    │   └── FormatVersionError            written by a newer neural
    └── StorageError                      the disk failed; raised only with NEURAL_STRICT=1 (also an OSError)

Errors carry data, not only text: the attributes are named in each class.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AmbiguousExperimentError",
    "ArgumentError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "ArtifactChangedError",
    "ArtifactError",
    "ArtifactNotFoundError",
    "ArtifactRefusedError",
    "ConfigurationError",
    "DamagedError",
    "DeliveryError",
    "EditConflictError",
    "ExperimentFinishedError",
    "ExperimentInUseError",
    "ExperimentNotFoundError",
    "FormatVersionError",
    "NeuralError",
    "NotInstalledError",
    "QueryError",
    "StorageError",
]


class NeuralError(Exception):
    """The base of all errors of neural."""


class ArgumentError(NeuralError):
    """A call was given something it cannot keep; nothing of that call was stored."""


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument of a type that cannot be kept."""


class ArgumentValueError(ArgumentError, ValueError):
    """An argument of the right type with a value that cannot be kept."""


class ConfigurationError(NeuralError, ValueError):
    """A setting that cannot work; raised at construction, before the first step."""


class NotInstalledError(ConfigurationError, ImportError):
    """Something that a separately installed plugin provides was asked for, and is not there."""


class ExperimentNotFoundError(NeuralError, LookupError):
    """No experiment in the base folder has this id.

    Attributes:
        experiment_id: the id that was asked for.
    """

    def __init__(self, message: str, experiment_id: str = "") -> None:
        """Keep the sentence and the id."""
        super().__init__(message)
        self.experiment_id = experiment_id


class AmbiguousExperimentError(NeuralError, LookupError):
    """More than one experiment answers to this id.

    Attributes:
        candidates: the folder names of the experiments that do.
    """

    def __init__(self, message: str, candidates: Sequence[str] = ()) -> None:
        """Keep the sentence and the candidates."""
        super().__init__(message)
        self.candidates = tuple(candidates)


class ExperimentInUseError(NeuralError, RuntimeError):
    """The experiment's writer is alive, so it cannot be deleted."""


class EditConflictError(NeuralError, RuntimeError):
    """Somebody else edited the experiment since it was looked at; nothing was changed."""


class ExperimentFinishedError(NeuralError, RuntimeError):
    """Something was logged after ``finish()``."""


class ArtifactError(NeuralError, OSError):
    """An artifact could not be stored or opened."""


class ArtifactNotFoundError(ArtifactError, FileNotFoundError):
    """The file to be stored, or the stored file, is not there."""


class ArtifactRefusedError(ArtifactError):
    """Not a regular file or folder: a pipe, a socket, a device, a link that leads nowhere."""


class ArtifactChangedError(ArtifactError):
    """The bytes changed while they were read, or are no longer the bytes that were stored."""


class DeliveryError(NeuralError, RuntimeError):
    """A backend or a plugin failed. Raised only with ``NEURAL_STRICT=1``, by ``flush`` and ``finish``."""


class QueryError(NeuralError, ValueError):
    """A filter or an order that does not parse.

    Attributes:
        position: the character at which the parser gave up, counted from 0.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        """Keep the sentence and the position."""
        super().__init__(message)
        self.position = position


class DamagedError(NeuralError, ValueError):
    """Stored bytes that are not what was written."""


class FormatVersionError(DamagedError):
    """The store was written by a newer neural with another major format."""


class StorageError(NeuralError, OSError):
    """The disk failed. Raised only with ``NEURAL_STRICT=1``; otherwise told by a warning and ``health``."""
