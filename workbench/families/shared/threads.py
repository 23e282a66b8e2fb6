"""One thread for small linear algebra: on busy cores several threads wait for each other longest of all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


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
    with _pools(len(sys.modules)).limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _pools(imported: int) -> ThreadpoolController:
    """Return what steers the libraries that are loaded, so many modules being imported.

    Looking for them takes 3 ms, as long as the fit of a small fold: it is done again only where another may have come.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
