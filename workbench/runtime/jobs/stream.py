"""Score rows of a Redis stream into another stream: a consumer group with at-least-once delivery.

An entry is a row: either one field ``row`` with a JSON object, or one field a column. Predictions
go to the output stream as ``id`` (of the entry) and ``answer`` (JSON, as of ``/predict``). Rows
that cannot be scored go to the dead-letter stream as ``id``, ``row``, ``error`` and ``code``. Both
are written in one transaction with the acknowledgement: if a consumer dies before, nothing is
written, and another consumer claims its entries.
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
    """The Redis server, the streams and the limits of a consumer.

    Attributes
    ----------
    url : str
        The URL of the Redis server.
    input, output, dead : str
        The streams of rows, of predictions, and of dead letters.
    group, consumer : str
        The consumers of a group share its rows. A consumer that restarts under its name resumes its
        pending rows at once; other consumers claim them after `idle_s`.
    batch : int
        Rows scored at a time.
    max_backlog : int
        The most unread predictions: beyond it the consumer pauses. 0 is no limit.
    max_deliveries : int
        A row delivered more often without being acknowledged becomes a dead letter.
    idle_s : float
        Seconds after which pending rows of another consumer are claimed.
    block_s : float
        The most seconds to wait for rows in one turn.
    host : str
    port : int or None
        The address of probes and metrics; None is no server, port 0 lets the system choose one.
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
    """The result of a consumer: rows scored, dead letters, and rows claimed from others."""

    answered: int = 0
    dead: int = 0
    taken_over: int = 0
    paused: int = 0
    reconnected: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return asdict(self)

    def to_text(self) -> str:
        """Return the report as text."""
        return (
            f"{self.answered:,} rows scored, {self.dead:,} dead letters, "
            f"{self.taken_over:,} rows claimed from other consumers"
        )


class Consumer:
    """Scores rows of a stream until it is stopped.

    Parameters
    ----------
    service : Service
    settings : StreamSettings
    after_turn : callable, optional
        Called after each turn, at least about once a second.

    Attributes
    ----------
    report : StreamReport
    connected : bool
        Whether the last call of the Redis server succeeded.
    turned_at : float
        The time of the last turn, by `time.monotonic`.
    """

    def __init__(
        self, service: Service, settings: StreamSettings, after_turn: Callable[[], None] = lambda: None
    ) -> None:
        self._redis = _redis()
        self._client = self._redis.Redis.from_url(settings.url, socket_timeout=settings.block_s + 10.0)
        self._service, self._settings, self._after_turn = service, settings, after_turn
        self._claimed_at = float("-inf")
        self.report = StreamReport()
        self.connected, self.turned_at = False, time.monotonic()

    def run(self, stop: threading.Event) -> StreamReport:
        """Run until `stop` is set; the rows of the current turn are finished first.

        Raises
        ------
        NotReadyError
            If a readiness check fails, at the start or later.
        ServeError
            If the Redis server is unavailable at the start, or refuses a command.
        """
        self._service.readiness.require()
        self._join()
        has_pending, failures = True, 0  # first the pending rows of this consumer
        while not stop.is_set():
            try:
                has_pending = self._turn(has_pending, stop)
                failures, self.connected = 0, True
            except (self._redis.ConnectionError, self._redis.TimeoutError):
                wait_s = _RETRY_S[min(failures, len(_RETRY_S) - 1)]
                failures, has_pending, self.connected = failures + 1, True, False
                self.report.reconnected += 1
                stop.wait(wait_s)
            except self._redis.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise ServeError("the stream", found=str(error)) from error
                self._join()
            self.turned_at = time.monotonic()
            self._after_turn()
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

    def _turn(self, has_pending: bool, stop: threading.Event) -> bool:
        """Score some rows; return whether this consumer may have more pending rows."""
        settings = self._settings
        if has_pending:
            entries = self._read("0", block=False)
            self._score(entries, again=True)
            return bool(entries)
        if settings.max_backlog and self._backlog() >= settings.max_backlog:
            self.report.paused += 1
            stop.wait(_PAUSE_S)
            return False
        if time.monotonic() - self._claimed_at >= settings.idle_s / 2:
            self._claim()
        self._score(self._read(">", block=True))
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

    def _claim(self) -> None:
        """Claim rows that another consumer left pending."""
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
            self._score(_entries(entries), again=True)
            if start in (b"0-0", "0-0"):
                self._claimed_at = time.monotonic()
                return

    def _backlog(self) -> int:
        """Return the unread predictions: of the output's slowest group, or all if it has none."""
        groups = (
            self._client.xinfo_groups(self._settings.output)
            if self._client.exists(self._settings.output)
            else []
        )
        if not groups:
            return int(self._client.xlen(self._settings.output))
        return max(int(group.get("lag") or 0) + int(group["pending"]) for group in groups)

    # ------------------------------------------------------------ results

    def _score(self, entries: Sequence[Entry], *, again: bool = False) -> None:
        """Score entries, write the results and acknowledge the entries, in one transaction."""
        if not entries:
            return
        exhausted = self._exhausted(entries) if again else frozenset()
        texts, rows, positions = [], [], []
        results: list[RowResult] = []
        for position, (identity, fields) in enumerate(entries):
            text, row, problem = read_entry(fields)
            if identity in exhausted:
                problem = (
                    f"delivered more than {self._settings.max_deliveries} times without an acknowledgement"
                )
            texts.append(text)
            results.append(
                RowResult(error=problem, code="given_up" if identity in exhausted else "bad_request")
            )
            if not problem:
                rows.append(row)
                positions.append(position)
        if rows:
            ids = [entries[position][0].decode() for position in positions]
            scored = self._service.score_rows(rows, "stream", entries[0][0].decode(), ids)
            for position, result in zip(positions, scored, strict=True):
                results[position] = result
        self._write(entries, texts, results)

    def _exhausted(self, entries: Sequence[Entry]) -> frozenset[bytes]:
        settings = self._settings
        pending = self._client.xpending_range(
            settings.input, settings.group, min=entries[0][0], max=entries[-1][0], count=len(entries) * 4
        )
        most = settings.max_deliveries
        return frozenset(each["message_id"] for each in pending if each["times_delivered"] > most)

    def _write(self, entries: Sequence[Entry], texts: Sequence[str], results: Sequence[RowResult]) -> None:
        settings = self._settings
        pipe = self._client.pipeline(transaction=True)
        dead = 0
        for (identity, fields), text, result in zip(entries, texts, results, strict=True):
            if fields is None:
                continue  # deleted from the stream in the meantime: no result
            if result.prediction is not None:
                content = json.dumps(result.prediction, ensure_ascii=False, allow_nan=False)
                pipe.xadd(settings.output, {"id": identity, "answer": content})
            else:
                dead += 1
                letter = {"id": identity, "row": text, "error": result.error, "code": result.code}
                pipe.xadd(settings.dead, letter)
        pipe.xack(settings.input, settings.group, *(identity for identity, _ in entries))
        pipe.execute()
        self.report.dead += dead
        self.report.answered += sum(result.prediction is not None for result in results)
        if self._service.log is not None:
            self._service.log.flush()


def read_entry(fields: Mapping[bytes, bytes] | None) -> tuple[str, Mapping[str, Any], str]:
    """Return an entry's row as text and as a mapping, and what is wrong with it, or "".

    Examples
    --------
    >>> read_entry({b"row": b'{"age": 31}'})
    ('{"age": 31}', {'age': 31}, '')
    >>> read_entry({b"age": b"31"})
    ('{"age": "31"}', {'age': '31'}, '')
    >>> read_entry({b"row": b"[]"})
    ('[]', {}, 'the entry is not a JSON object')
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
        return text, {}, f"the entry is not JSON: {error}"
    if not isinstance(row, dict):
        return text, {}, "the entry is not a JSON object"
    return text, row, ""


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _entries(found: Sequence[Any]) -> list[Entry]:
    """Return entries with their fields, None for deleted ones."""
    return [(entry[0], entry[1] or None) for entry in found if entry[0] is not None]


def _redis() -> Any:
    try:
        import redis
    except ImportError as error:
        raise ServeError(
            "streams need redis-py", found="it is not installed", hint="Run pip install redis."
        ) from error
    return redis
