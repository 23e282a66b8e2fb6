"""What a process does with the log's files: encode, append, rotate, seal, adopt, prune. No threads
here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .folder import date_folder
from .records import LoggedRequest, RecordEncoder, read_line
from .sealing import SegmentModel, read_model, seal
from .segments import OpenSegment, adopt, prune

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When an open file is sealed, whichever comes first; the end of its UTC day is another reason.

    Attributes
    ----------
    rows, size : int
        Records and bytes.
    age_s : float
        Seconds since its first record.
    """

    rows: int = 200_000
    size: int = 64_000_000
    age_s: float = 900.0


class LogWriter:
    """Writes the records of one process.

    Parameters
    ----------
    folder : Path
        Of the log.
    encoder : RecordEncoder
    model : SegmentModel
    limits : SegmentLimits, optional
    keep_s : float, optional
        How long sealed files are kept; by default for ever.
    max_bytes : int, optional
        How large they may be together; by default without limit.
    notify : callable, optional
        Takes one line for the operator; each kind of failure is reported once until it is over.
    clock : callable, optional
        Seconds since 1970.

    Attributes
    ----------
    rows : int
        Records written.
    lost : int
        Rows that could not be written.
    errors : int
        Writes, seals and removals that failed.
    """

    def __init__(  # noqa: PLR0913 - each is one property of the log
        self,
        folder: Path,
        encoder: RecordEncoder,
        model: SegmentModel,
        *,
        limits: SegmentLimits | None = None,
        keep_s: float | None = None,
        max_bytes: int | None = None,
        notify: Notify = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._encoder, self._model = folder, encoder, model
        self._limits = limits or SegmentLimits()
        self._keep_s, self._max_bytes = keep_s, max_bytes
        self._notify, self.clock = notify, clock
        self._segment: OpenSegment | None = None
        self._number = 0
        self._failing: set[str] = set()
        self.rows = self.lost = self.errors = 0

    def write(self, requests: Sequence[LoggedRequest]) -> list[OpenSegment]:
        """Append requests; returns the files that are full now and wait to be sealed."""
        full: list[OpenSegment] = []
        lines: list[bytes] = []
        for request in requests:
            segment = self._segment
            if segment is not None and segment.path.parent != date_folder(self._folder, request.time_s):
                self._append(lines)  # the day is over
                full += self.rotate()
                lines = []
            if self._segment is None and not self._begin(request.time_s):
                self.lost += request.count
                continue
            try:
                lines += self._encoder.lines(request)
            except Exception as error:
                self.lost += request.count
                self._failed("record", f"{type(error).__name__}")
        self._append(lines)
        return full + self.tick()

    def tick(self) -> list[OpenSegment]:
        """Return the open file if it is to be sealed now."""
        segment, limits = self._segment, self._limits
        if segment is None:
            return []
        now = self.clock()
        over = now - segment.started_s >= limits.age_s or now < segment.started_s - limits.age_s
        another_day = segment.path.parent != date_folder(self._folder, now)
        if over or another_day or segment.rows >= limits.rows or segment.size >= limits.size:
            return self.rotate()
        return []

    def rotate(self) -> list[OpenSegment]:
        """End the open file; the next record begins another one."""
        segment, self._segment = self._segment, None
        if segment is None:
            return []
        if not segment.rows:
            segment.remove()
            return []
        self._number += 1
        try:
            segment.rotate(self._number, int(self.clock() * 1000))
        except OSError as error:
            self._failed("rotate", error.strerror or str(error))
            segment.release()
            return []
        return [segment]

    def _begin(self, time_s: float) -> bool:
        try:
            self._segment = OpenSegment.create(date_folder(self._folder, time_s), self.clock())
        except OSError as error:
            self._failed("write", error.strerror or str(error))
            return False
        return True

    def _append(self, lines: list[bytes]) -> None:
        if not lines or self._segment is None:
            return
        try:
            self._segment.append(lines)
        except OSError as error:
            self.lost += len(lines)
            self._failed("write", error.strerror or str(error))
            return
        self.rows += len(lines)
        self._failing.discard("write")

    # ------------------------------------------------------------ sealing, in another thread where there is one

    def seal(self, segment: OpenSegment, dropped: int = 0, model: SegmentModel | None = None) -> bool:
        """Seal a file and remove what is too old; returns whether it worked. The file stays where
        it did not.
        """
        try:
            seal(segment.path, model or self._model, dropped)
        except Exception as error:
            self._failed("seal", getattr(error, "strerror", None) or str(error))
            segment.release()
            return False
        segment.remove()
        self._failing.discard("seal")
        return True

    def prune(self) -> None:
        """Remove sealed files beyond the limits of age and size."""
        try:
            prune(self._folder, self.clock(), self._keep_s, self._max_bytes)
        except OSError as error:
            self._failed("remove", error.strerror or str(error))

    def adopt(self) -> int:
        """Seal the files that killed processes left; returns how many."""
        done = 0
        for segment in adopt(self._folder):
            if not segment.size:
                segment.remove()
                continue
            done += self.seal(segment, model=self._model_of(segment))
        return done

    def _model_of(self, segment: OpenSegment) -> SegmentModel:
        """Return the model that wrote a file: by default that of this process."""
        with segment.path.open("rb") as stream:
            record = read_line(stream.readline()) or {}
        name, version = str(record.get("model")), str(record.get("version"))
        return read_model(self._folder, name, version) or self._model

    def _failed(self, what: str, why: str) -> None:
        self.errors += 1
        if what not in self._failing:
            self._failing.add(what)
            words = {"write": "cannot be written", "seal": "cannot be sealed", "rotate": "cannot be renamed"}
            self._notify(f"the prediction log {self._folder} {words.get(what, f'{what} failed')}: {why}")
