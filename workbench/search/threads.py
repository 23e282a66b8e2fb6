"""One thread for small linear algebra: on busy cores several threads wait for each other longest of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep the libraries of linear algebra to one thread; also a decorator.

    Examples
    --------
    >>> @one_thread()
    ... def work() -> int:
    ...     return 1
    >>> work()
    1
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
