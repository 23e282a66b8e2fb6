"""Rows from a Redis stream, answers to another: a consumer group, at least once, bad rows set aside.

An entry is a row: either one field ``row`` that holds a JSON object, or one field a column. Answers go to the output
stream as ``id`` (of the entry) and ``answer`` (JSON, as ``/predict`` gives it); rows that cannot be scored go to the
dead-letter stream as ``id``, ``row``, ``error`` and ``code``. Both are written in one transaction with the
acknowledgement: a consumer that dies before has answered nothing, and its entries are taken over by the next.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import ServeError
from ..files.json_text import JsonError, read_json
from ..serving.service import RowResult, Service
from ..serving.serving_settings import default_host

_ROW = "row"
_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_PAUSE_S = 0.2
Entry = tuple[bytes, Mapping[bytes, bytes] | None]


def _consumer_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Where rows come from and answers go.

    Attributes
    ----------
    url : str
        Of the Redis server.
    input, output, dead : str
        The streams of rows, of answers, and of rows that could not be scored.
    group, consumer : str
        Consumers of one group share the rows. A consumer that comes back under its name goes on at once with what it
        had begun; what others had begun is taken over when it was left for `idle_s`.
    batch : int
        Rows scored at a time.
    max_backlog : int
        Answers that may wait to be read before no more rows are taken; 0 is no limit.
    max_deliveries : int
        A row that was handed out more often without an answer goes to the dead letters.
    idle_s : float
    block_s : float
        How long to wait for rows before looking around.
    host : str
    port : int or None
        Where probes and scrapes are answered; None: nowhere. 0 lets the system choose a port.
    """

    url: str = "redis://127.0.0.1:6379/0"
    input: str = "rows"
    output: str = "predictions"
    dead: str = "rows.dead"
    group: str = "workbench"
    consumer: str = field(default_factory=_consumer_name)
    batch: int = 64
    max_backlog: int = 0
    max_deliveries: int = 5
    idle_s: float = 30.0
    block_s: float = 1.0
    host: str = field(default_factory=default_host)
    port: int | None = None


@dataclass(slots=True)
class StreamReport:
    """What a consumer did: rows answered, set aside as dead letters, and taken over from others."""

    answered: int = 0
    dead: int = 0
    taken_over: int = 0
    paused: int = 0
    reconnected: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return asdict(self)

    def to_text(self) -> str:
        """Return the report for a person."""
        return (
            f"{self.answered:,} rows answered, {self.dead:,} set aside as dead letters, "
            f"{self.taken_over:,} taken over from other consumers"
        )


class Consumer:
    """Takes rows from a stream until it is told to stop.

    Parameters
    ----------
    service : Service
    settings : StreamSettings
    beat : callable, optional
        Called after each look around, about once a second where there is little to do.

    Attributes
    ----------
    report : StreamReport
    connected : bool
        Whether the Redis server answered when it was last asked.
    turned_at : float
        When the consumer last looked around, as `time.monotonic` tells it.
    """

    def __init__(
        self, service: Service, settings: StreamSettings, beat: Callable[[], None] = lambda: None
    ) -> None:
        self._redis = _redis()
        self._client = self._redis.Redis.from_url(settings.url, socket_timeout=settings.block_s + 10.0)
        self._service, self._settings, self._beat = service, settings, beat
        self._claimed_at = float("-inf")
        self.report = StreamReport()
        self.connected, self.turned_at = False, time.monotonic()

    def run(self, stop: threading.Event) -> StreamReport:
        """Work until `stop` is set; the rows at hand are answered first.

        Raises
        ------
        NotReadyError
            If the model must not answer, at the start or later.
        ServeError
            If the Redis server cannot be reached at the start, or refuses what is asked of it.
        """
        self._service.readiness.require()
        self._join()
        begun, failures = True, 0  # first what this consumer had begun and not finished
        while not stop.is_set():
            try:
                begun = self._turn(begun, stop)
                failures, self.connected = 0, True
            except (self._redis.ConnectionError, self._redis.TimeoutError):
                wait_s = _RETRY_S[min(failures, len(_RETRY_S) - 1)]
                failures, begun, self.connected = failures + 1, True, False
                self.report.reconnected += 1
                stop.wait(wait_s)
            except self._redis.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise ServeError("the stream", found=str(error)) from error
                self._join()
            self.turned_at = time.monotonic()
            self._beat()
        self._client.close()
        return self.report

    def _join(self) -> None:
        settings = self._settings
        try:
            self._client.xgroup_create(settings.input, settings.group, id="0", mkstream=True)
        except self._redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise ServeError(f"the stream {settings.input}", found=str(error)) from error
        except self._redis.RedisError as error:
            raise ServeError(
                f"the Redis server {settings.url.rpartition('@')[2]}", found=str(error)
            ) from error

    def _turn(self, begun: bool, stop: threading.Event) -> bool:
        """RowResult some rows; returns whether there may be more that were begun before."""
        settings = self._settings
        if begun:
            entries = self._read("0", block=False)
            self._answer(entries, again=True)
            return bool(entries)
        if settings.max_backlog and self._backlog() >= settings.max_backlog:
            self.report.paused += 1
            stop.wait(_PAUSE_S)
            return False
        if time.monotonic() - self._claimed_at >= settings.idle_s / 2:
            self._take_over()
        self._answer(self._read(">", block=True))
        return False

    def _read(self, since: str, *, block: bool) -> list[Entry]:
        settings = self._settings
        found = self._client.xreadgroup(
            settings.group,
            settings.consumer,
            {settings.input: since},
            count=settings.batch,
            block=int(settings.block_s * 1000) if block else None,
        )
        streams = found.items() if isinstance(found, dict) else (found or [])  # RESP 3, RESP 2
        for _, entries in streams:
            nested = bool(entries) and isinstance(entries[0], list)
            return _entries(entries[0] if nested else entries)
        return []

    def _take_over(self) -> None:
        """Take over rows that another consumer began and left."""
        settings = self._settings
        start: Any = "0-0"
        while True:
            found = self._client.xautoclaim(
                settings.input,
                settings.group,
                settings.consumer,
                min_idle_time=int(settings.idle_s * 1000),
                start_id=start,
                count=settings.batch,
            )
            start, entries = found[0], found[1]
            self.report.taken_over += len(entries)
            self._answer(_entries(entries), again=True)
            if start in (b"0-0", "0-0"):
                self._claimed_at = time.monotonic()
                return

    def _backlog(self) -> int:
        """Return the answers that wait to be read: by the slowest group of the output, or all where there is none."""
        groups = (
            self._client.xinfo_groups(self._settings.output)
            if self._client.exists(self._settings.output)
            else []
        )
        if not groups:
            return int(self._client.xlen(self._settings.output))
        return max(int(group.get("lag") or 0) + int(group["pending"]) for group in groups)

    # ------------------------------------------------------------ answers

    def _answer(self, entries: Sequence[Entry], *, again: bool = False) -> None:
        """Score entries, write what came of them, and acknowledge them, all or nothing."""
        if not entries:
            return
        given_up = self._often_delivered(entries) if again else frozenset()
        texts, rows, positions = [], [], []
        answers: list[RowResult] = []
        for position, (identity, fields) in enumerate(entries):
            text, row, problem = read_entry(fields)
            if identity in given_up:
                problem = f"handed out more than {self._settings.max_deliveries} times without an answer"
            texts.append(text)
            answers.append(
                RowResult(error=problem, code="given_up" if identity in given_up else "bad_request")
            )
            if not problem:
                rows.append(row)
                positions.append(position)
        if rows:
            scored = self._service.score_rows(rows, "stream", entries[0][0].decode())
            for position, answer in zip(positions, scored, strict=True):
                answers[position] = answer
        self._write(entries, texts, answers)

    def _often_delivered(self, entries: Sequence[Entry]) -> frozenset[bytes]:
        settings = self._settings
        pending = self._client.xpending_range(
            settings.input, settings.group, min=entries[0][0], max=entries[-1][0], count=len(entries) * 4
        )
        most = settings.max_deliveries
        return frozenset(each["message_id"] for each in pending if each["times_delivered"] > most)

    def _write(self, entries: Sequence[Entry], texts: Sequence[str], answers: Sequence[RowResult]) -> None:
        settings = self._settings
        pipe = self._client.pipeline(transaction=True)
        dead = 0
        for (identity, fields), text, answer in zip(entries, texts, answers, strict=True):
            if fields is None:
                continue  # deleted from the stream meanwhile: there is nothing to answer
            if answer.prediction is not None:
                content = json.dumps(answer.prediction, ensure_ascii=False, allow_nan=False)
                pipe.xadd(settings.output, {"id": identity, "answer": content})
            else:
                dead += 1
                letter = {"id": identity, "row": text, "error": answer.error, "code": answer.code}
                pipe.xadd(settings.dead, letter)
        pipe.xack(settings.input, settings.group, *(identity for identity, _ in entries))
        pipe.execute()
        self.report.dead += dead
        self.report.answered += sum(answer.prediction is not None for answer in answers)
        if self._service.log is not None:
            self._service.log.flush()


def read_entry(fields: Mapping[bytes, bytes] | None) -> tuple[str, Mapping[str, Any], str]:
    """Return an entry's row as text, as a mapping, and what is wrong with it, if anything.

    Examples
    --------
    >>> read_entry({b"row": b'{"age": 31}'})
    ('{"age": 31}', {'age': 31}, '')
    >>> read_entry({b"age": b"31"})
    ('{"age": "31"}', {'age': '31'}, '')
    >>> read_entry({b"row": b"[]"})
    ('[]', {}, 'the entry holds no JSON object')
    """
    if fields is None:
        return "", {}, "the entry was deleted"
    plain = {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in fields.items()
    }
    if list(plain) != [_ROW]:
        whole = all(_is_utf8(each) for pair in fields.items() for each in pair)
        return json.dumps(plain, ensure_ascii=False), plain, "" if whole else "the entry is not UTF-8"
    text = plain[_ROW]
    try:
        row = read_json(fields[_ROW.encode()])
    except JsonError as error:
        return text, {}, f"the entry is no JSON: {error}"
    if not isinstance(row, dict):
        return text, {}, "the entry holds no JSON object"
    return text, row, ""


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _entries(found: Sequence[Any]) -> list[Entry]:
    """Return entries with their fields, None for those that were deleted meanwhile."""
    return [(entry[0], entry[1] or None) for entry in found if entry[0] is not None]


def _redis() -> Any:
    try:
        import redis
    except ImportError as error:
        raise ServeError("streams need redis-py", hint="Run pip install redis.") from error
    return redis
