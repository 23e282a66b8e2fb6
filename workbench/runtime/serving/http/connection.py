"""uvicorn's connection with what it lacks: limits of size and time on all that a client sends and reads.

What a client may cost before it has shown a key is bounded here:

- a head, and what a chunked body holds besides data (extensions, trailers): 64 kB, else 431; trailers are not used;
- heads that could be read in two ways: 400 (see `request_head`);
- ten seconds for a head; the body's time is that of `uploads`;
- requests that are sent ahead of their answers: what is not begun stays in the socket, but for one read;
- an answer that is not read: the connection ends where less than a kilobyte a second leaves it.

A refusal closes the connection so that it can be read: what still comes is dropped for a moment before the end.
"""

from __future__ import annotations

import json
from asyncio import TimerHandle
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from .request_head import MAX_BYTES, MAX_HEADERS, HeadError, check_head, too_long

_IDLE_GRACE_S = 1.0  # for which an idle connection still takes a request while the server ends
_HEAD_S = 10.0  # from the first byte of a connection, or of a further request on it, to the end of its head
_LINGER_S = 2.0  # for which what still comes is dropped, so that the last answer is not lost in a reset
_MAX_DROPPED = 1 << 25  # bytes; a client that sends more without reading is cut off
_STALL_S, _MIN_BYTES_PER_S = (
    30.0,
    1000,
)  # how often a blocked answer is looked at, and the bytes a second that it needs
_SLICE = 8192  # fed to the parser at a time: no more requests begin at once than fit into it
_CHUNK_FRAME = 16  # bytes around a chunk's data that are nobody's excess
_NO_HTTP = HeadError(400, "bad_request", "the request is no HTTP/1.1")


class _Flow(FlowControl):
    """Flow control that reads nothing more while something read is not begun."""

    def __init__(self, transport: Any, connection: Connection) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        if not self._connection.pending:
            super().resume_reading()


class _LastResponse:
    """A transport whose `close` lets the client read what was written (`Connection.end`)."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, connection: Connection) -> None:
        transport = connection.transport
        self.write, self.is_closing, self.close = transport.write, transport.is_closing, connection.end


class Connection(HttpToolsProtocol):
    """One connection of a client.

    Attributes
    ----------
    pending : bytes
        What was read and waits for the requests before it to be answered.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.pending = b""
        self._head_timer: TimerHandle | None = None
        self._stall_timer: TimerHandle | None = None
        self._unsent = self._dropped = 0
        self._shutting_down = self._closing = False
        self._refusal: HeadError | None = None
        self._in_body = self._resumes = False
        self._extra = self._head_bytes = 0
        if hasattr(self.app, "tasks"):
            self.app.tasks = self.tasks

    # ------------------------------------------------------------ what comes

    def connection_made(self, transport: Any) -> None:
        """Expect a request's head soon."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self._head_timer = self.loop.call_later(_HEAD_S, self._on_head_timeout)

    def data_received(self, data: bytes) -> None:
        """Read, and expect the rest of a head that is cut off soon."""
        if self._closing:
            self._dropped += len(data)
            if self._dropped > _MAX_DROPPED:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        if self.pending:
            self.pending += data
            return
        self._take(data)
        in_head = self.cycle is None or (self.cycle.response_complete and self.parser is not None)
        if not in_head:
            self._stop_timer()
        elif self._head_timer is None and self.timeout_keep_alive_task is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self._on_head_timeout)

    def _take(self, data: bytes) -> None:
        """Feed the parser, no further than one request ahead of the one that is answered."""
        for at in range(0, len(data), _SLICE):
            if self.pipeline:
                self.pending = data[at:]
                self.flow.pause_reading()
                return
            self._feed(data[at : at + _SLICE] if len(data) > _SLICE else data)
            if self._closing or self._refusal is not None or self.parser is None:
                return

    def _feed(self, data: bytes) -> None:
        self._extra = max(self._extra, -_SLICE) + len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._pass_over_upgrade()
            rest = data[upgrade.args[0] :]
            if rest:
                self._feed(rest)
            return
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, HeadError) else _NO_HTTP)
            return
        if self._extra > MAX_BYTES:
            self._refuse(too_long())

    def _pass_over_upgrade(self) -> None:
        """Read on in HTTP/1.1: the offer of another protocol (h2c: Java, curl) is not taken up.

        The parser leaves off at the end of such a head, so the body is read by a new one, told how long it is.
        """
        coding, length = (dict(self.headers).get(name) for name in (b"transfer-encoding", b"content-length"))
        frame = b"Transfer-Encoding: chunked" if coding else b"Content-Length: " + (length or b"0")
        self._resumes = True
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + frame + b"\r\n\r\n")
        self._resumes, self._in_body = False, bool(coding) or int(length or 0) > 0

    # ------------------------------------------------------------ what the parser finds

    def on_message_begin(self) -> None:
        """Count a request's bytes from here."""
        if self._resumes:
            return
        super().on_message_begin()
        self._head_bytes, self._in_body = 0, False

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        if not self._resumes:
            self._head_bytes += len(url)
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those behind a body are not used."""
        if self._in_body or self._resumes:
            return
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_BYTES or len(self.headers) >= MAX_HEADERS:
            raise too_long()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start on a request; the answer to one that came while the server ends says that it is the last."""
        if self._resumes:
            return
        if self._head_bytes > MAX_BYTES:
            raise too_long()
        check_head(self.headers, self.parser.get_http_version())
        before = self.cycle
        super().on_headers_complete()
        self._extra, self._in_body = 0, True
        if self.cycle is not before:
            self.cycle.transport = _LastResponse(self)  # type: ignore[assignment]
            if self._shutting_down or getattr(self.app, "draining", False):
                self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._extra -= len(body)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Allow for what stands around a chunk."""
        self._extra -= _CHUNK_FRAME

    def on_message_complete(self) -> None:
        """End a request's body, unless the parser only leaves off at an upgrade's head."""
        if self.parser.should_upgrade() and not self._resumes:
            return
        self._extra, self._in_body = 0, False
        super().on_message_complete()

    # ------------------------------------------------------------ what goes out

    def on_response_complete(self) -> None:
        """Go on with what was sent ahead, or refuse it."""
        if self._closing:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.pipeline or self.transport.is_closing():
            return
        if self._refusal is not None:
            if self.cycle.response_complete:  # of the last request before what is refused
                self._send_refusal(self._refusal)
        elif self.pending:
            pending, self.pending = self.pending, b""
            self._unset_keepalive_if_required()
            self._take(pending)
            self.flow.resume_reading()

    def _refuse(self, refusal: HeadError) -> None:
        """Answer that a request is not taken, after the answers to those before it."""
        cycle = self.cycle
        if self._in_body and cycle is not None:  # its head was taken, what follows is not
            if self.pipeline:
                self.pipeline.popleft()
            elif cycle.response_started:
                self.end()
                return
            else:
                cycle.disconnected = True
                cycle.message_event.set()
                self._send_refusal(refusal)
                return
        busy = bool(self.pipeline) or (cycle is not None and not cycle.response_complete)
        if busy:
            self._refusal = refusal
        else:
            self._send_refusal(refusal)

    def _send_refusal(self, refusal: HeadError) -> None:
        body = json.dumps({"error": refusal.text, "code": refusal.code}).encode()
        head = [
            STATUS_LINE[refusal.status],
            *(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers),
            b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body),
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"".join([*head, body]))
        if hasattr(self.app, "record_refusal"):
            self.app.record_refusal(refusal.status, refusal.code, refusal.text)
        self.end()

    def end(self) -> None:
        """Close after what was written; what the client still sends is dropped meanwhile, not answered by a reset."""
        if self._closing or self.transport.is_closing():
            return
        self._closing, self.pending = True, b""
        self._stop_timer()
        self._unset_keepalive_if_required()
        if not self.transport.can_write_eof():  # TLS has an end of its own
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER_S, self._close_lingering)

    def pause_writing(self) -> None:
        """Look now and then whether the client reads on."""
        super().pause_writing()
        if self._stall_timer is None:
            self._unsent = self.transport.get_write_buffer_size()
            self._stall_timer = self.loop.call_later(_STALL_S, self._check_reader)

    def resume_writing(self) -> None:
        """The client has read enough."""
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _check_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        if self._unsent - left < _MIN_BYTES_PER_S * _STALL_S:
            self.transport.abort()
            return
        self._unsent = left
        self._stall_timer = self.loop.call_later(_STALL_S, self._check_reader)

    # ------------------------------------------------------------ how it ends

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_timer()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        self.pending = b""
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End after the answer under way, or where there is none a little later.

        A client may be sending its next request just now: closing at once would lose it without an answer.
        """
        self._shutting_down = True
        idle = self.cycle is None or self.cycle.response_complete
        self.loop.call_later(_IDLE_GRACE_S if idle else 0.0, super().shutdown)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, but not one that is still being sent an answer."""
        if not self.transport.is_closing() and self.transport.get_write_buffer_size() > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
            return
        super().timeout_keep_alive_handler()

    def _close_lingering(self) -> None:
        self.transport.close()
        self.loop.call_later(_HEAD_S, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _on_head_timeout(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
