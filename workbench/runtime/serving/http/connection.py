"""uvicorn's HTTP connection, with limits on the size and time of requests and responses.

The limits bound the cost of a client before it has shown a key:

- a head, and the non-data parts of a chunked body (extensions, trailers): 64 kB, else status 431;
- ambiguous heads: status 400 (see `request_head`);
- ten seconds for a head; see `request_body` for the time of a body;
- pipelined requests stay in the socket, except for one read, until the previous ones are handled;
- a response that the client reads at less than 1 kB/s: the connection is closed.

After a refusal the connection stays half open for a moment and drops what arrives, so that the
client can read the response. uvicorn has none of these limits.
"""

from __future__ import annotations

import json
from asyncio import TimerHandle
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from .request_head import MAX_BYTES, MAX_HEADERS, HeadError, check_head, too_long

_IDLE_GRACE_S = 1.0  # for which an idle connection still accepts a request while the server stops
_HEAD_S = 10.0  # from the start of a connection or a further request to the end of its head
_LINGER_S = 2.0  # for which input is dropped, so that a reset does not lose the response
_MAX_DROPPED = 1 << 25  # bytes; a client that sends more without reading is disconnected
_STALL_S = 30.0  # between two checks that a client reads a blocked response
_MIN_BYTES_PER_S = 1000  # a client that reads more slowly is disconnected
_SLICE = 8192  # bytes parsed at a time, which bounds the requests started at once
_CHUNK_FRAME = 16  # bytes around the data of a chunk that do not count
_NO_HTTP = HeadError(400, "bad_request", "the request is not valid HTTP/1.1")


class _Flow(FlowControl):
    """Flow control that does not read while pipelined input is pending."""

    def __init__(self, transport: Any, connection: Connection) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        if not self._connection.pending:
            super().resume_reading()


class _LastResponse:
    """A transport whose `close` lets the client read the response (see `Connection.end`)."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, connection: Connection) -> None:
        transport = connection.transport
        self.write, self.is_closing, self.close = transport.write, transport.is_closing, connection.end


class Connection(HttpToolsProtocol):
    """One connection of a client.

    Attributes
    ----------
    pending : bytes
        Input that waits until the previous requests are handled.
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

    # ------------------------------------------------------------ input

    def connection_made(self, transport: Any) -> None:
        """Start the timer for a request's head."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self._head_timer = self.loop.call_later(_HEAD_S, self._on_head_timeout)

    def data_received(self, data: bytes) -> None:
        """Parse input, and start the timer for an incomplete head."""
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
        """Feed the parser, at most one request ahead of the one in progress."""
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
        """Continue in HTTP/1.1: an upgrade to another protocol (h2c: Java, curl) is ignored.

        The parser stops at the end of such a head, so a new one reads the body, given its length.
        """
        coding, length = (dict(self.headers).get(name) for name in (b"transfer-encoding", b"content-length"))
        frame = b"Transfer-Encoding: chunked" if coding else b"Content-Length: " + (length or b"0")
        self._resumes = True
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + frame + b"\r\n\r\n")
        self._resumes, self._in_body = False, bool(coding) or int(length or 0) > 0

    # ------------------------------------------------------------ parser callbacks

    def on_message_begin(self) -> None:
        """Reset the byte counts for a new request."""
        if self._resumes:
            return
        super().on_message_begin()
        self._head_bytes, self._in_body = 0, False

    def on_url(self, url: bytes) -> None:
        """Receive a part of the URL."""
        if not self._resumes:
            self._head_bytes += len(url)
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Receive a header; trailers after a body are ignored."""
        if self._in_body or self._resumes:
            return
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_BYTES or len(self.headers) >= MAX_HEADERS:
            raise too_long()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start a request; while the server stops, its response closes the connection."""
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
        """Receive a part of the body."""
        self._extra -= len(body)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Discount the bytes around a chunk."""
        self._extra -= _CHUNK_FRAME

    def on_message_complete(self) -> None:
        """End a request's body, unless the parser stopped after the head of an upgrade."""
        if self.parser.should_upgrade() and not self._resumes:
            return
        self._extra, self._in_body = 0, False
        super().on_message_complete()

    # ------------------------------------------------------------ output

    def on_response_complete(self) -> None:
        """Continue with pipelined input, or refuse it."""
        if self._closing:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.pipeline or self.transport.is_closing():
            return
        if self._refusal is not None:
            if self.cycle.response_complete:  # the last request before the refused one is done
                self._send_refusal(self._refusal)
        elif self.pending:
            pending, self.pending = self.pending, b""
            self._unset_keepalive_if_required()
            self._take(pending)
            self.flow.resume_reading()

    def _refuse(self, refusal: HeadError) -> None:
        """Refuse a request, after the responses to the previous ones."""
        cycle = self.cycle
        if self._in_body and cycle is not None:  # the head was accepted, the rest is not
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
        """Close the connection after the response, dropping further input instead of resetting."""
        if self._closing or self.transport.is_closing():
            return
        self._closing, self.pending = True, b""
        self._stop_timer()
        self._unset_keepalive_if_required()
        if not self.transport.can_write_eof():  # TLS has its own shutdown
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER_S, self._close_lingering)

    def pause_writing(self) -> None:
        """Start to check that the client reads the response."""
        super().pause_writing()
        if self._stall_timer is None:
            self._unsent = self.transport.get_write_buffer_size()
            self._stall_timer = self.loop.call_later(_STALL_S, self._check_reader)

    def resume_writing(self) -> None:
        """Stop checking: the client has read the response."""
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

    # ------------------------------------------------------------ end

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._stop_timer()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        self.pending = b""
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close after the response in progress; an idle connection a little later.

        A client may be sending its next request: closing at once would lose it.
        """
        self._shutting_down = True
        idle = self.cycle is None or self.cycle.response_complete
        self.loop.call_later(_IDLE_GRACE_S if idle else 0.0, super().shutdown)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, but not while a response is being sent."""
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
