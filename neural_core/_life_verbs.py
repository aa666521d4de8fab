"""Flushing and ending an experiment, and how it fares."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any

from neural_core._construction import check_end
from neural_core._logging_verbs import LoggingVerbs
from neural_core._reading import ReadingVerbs
from neural_core.errors import DamagedError
from neural_core.records import Health, Status

if TYPE_CHECKING:
    from typing import Self

    from neural_core._delivery.delivery import Delivery
    from neural_core._delivery.late import LateDelivery

__all__ = ["LifeVerbs"]


class LifeVerbs(LoggingVerbs, ReadingVerbs):
    """The end of an experiment, and waiting for what was logged."""

    auto_visualize: bool | str
    _finished: bool
    _delivery: Delivery | LateDelivery | None
    _end: weakref.finalize[Any, Any]

    def flush(self) -> None:
        """Wait until all that was logged is on the disk, and the plots show it."""
        if self._session is not None and not self._finished:
            self._session.sync()
            if self._delivery is not None:
                self._delivery.flush(self._session.position())
            self._draw()

    def finish(self, status: Status | None = None) -> None:
        """End the experiment: plots, status, summary; the journal becomes Parquet. A second call does nothing.

        Args:
            status: completed, failed or interrupted; None keeps a status that was set (``failed``) and makes
                ``completed`` of one that runs.

        Raises:
            ArgumentValueError: another status.
        """
        check_end(status)
        # At interpreter exit the experiment may have ended before an exit function of the user's gets here.
        if self._session is None:
            return
        with self._session.lock:  # of two threads one ends it
            if self._finished or self._session.writer.closed:
                return
            if status is not None:
                self.set_status(status)
            self._finished = True
        self._end.detach()
        self._session.finish(status, meanwhile=self._wait_for_delivery)

    def _wait_for_delivery(self) -> None:
        drawn_elsewhere = self._delivery is not None and self._delivery.draws_plots
        if not drawn_elsewhere:
            self._draw()
        if self._delivery is not None and self._session is not None:
            self._delivery.finish(self._session.position())
            if drawn_elsewhere and not self._delivery.draws_plots:
                self._draw()  # the companion turned out not to work here

    def _draw(self) -> None:
        if not self.auto_visualize or self._session is None or not self._session.is_owner:
            return
        try:
            if self._fresh().rows:
                self.generate_visualizations()
        except (OSError, DamagedError) as error:
            self._session.writer.trouble.tell(error)

    @property
    def delivered(self) -> bool:
        """Tell, after `finish`, whether every backend and plugin has heard everything."""
        return self._finished and (self._delivery is None or self._delivery.complete)

    @property
    def health(self) -> Health:
        """How the tracker fares with its disk."""
        return Health() if self._session is None else self._session.writer.trouble.health

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None or self._session is None or not self._session.is_owner:
            self.finish()  # a rank or a forked child ends its own part; how the experiment ends is its owner's affair
        else:
            self.finish("interrupted" if issubclass(kind, KeyboardInterrupt) else "failed")
