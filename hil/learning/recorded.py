"""What has a record: it ends in a verdict, and is written whatever happens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from hil.errors import HilError, stopped
from hil.interrupts import no_interrupts
from hil.records.record import RunRecord
from targets import storage


class Recorded(ABC):
    """A run on its way: `record` is complete when it is over, and `failure` is what ended
    it, None when it passed."""

    record: RunRecord
    failure: HilError | None = None

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """What is done inside ends in a verdict and is written into the record. A
        `HilError`, or Ctrl-C, ends it, and is kept as `failure`."""
        try:
            yield
            self.judge()
        except KeyboardInterrupt as signalled:
            self.failure = stopped(signalled, f" after {self.done}")
        except HilError as error:
            self.failure = error
        except Exception as error:
            if isinstance(error, OSError):
                self.failure = storage.scarcity(error)
            if self.failure is not None:
                return
            self.record.error = {"sentence": f"internal error: {error!r}", "hints": []}
            raise
        finally:
            with no_interrupts():
                self._finish()

    @property
    @abstractmethod
    def done(self) -> str:
        """What is done so far, for people."""

    @abstractmethod
    def judge(self) -> None:
        """Raise `Divergence` where a difference was found, and `NothingCompared`."""

    @abstractmethod
    def _finish(self) -> None:
        """Complete and write the record."""
