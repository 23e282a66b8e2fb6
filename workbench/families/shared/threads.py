"""One thread for small linear algebra: on busy cores several threads mostly wait for each other."""

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
    """Limit BLAS and OpenMP libraries to one thread; also usable as a decorator.

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
    """Return the controller of the loaded libraries, cached by the number of imported modules.

    Detecting them takes 3 ms, as long as the fit of a small fold. It is repeated only if a new
    module may have loaded another library.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
