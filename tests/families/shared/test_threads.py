"""One thread for small linear algebra, for all libraries loaded so far."""

from __future__ import annotations

import subprocess
import sys

from threadpoolctl import threadpool_info

from workbench.families.shared.threads import one_thread

_LOADED_LATER = """
from workbench.families.shared.threads import one_thread
with one_thread():
    pass
import numpy, sklearn.ensemble
from threadpoolctl import threadpool_info, threadpool_limits
threadpool_limits(2)
with one_thread():
    print(sorted({pool["num_threads"] for pool in threadpool_info()}))
print(sorted({pool["num_threads"] for pool in threadpool_info()}))
"""


def test_every_library_has_one_thread_inside_and_its_old_number_after() -> None:
    before = [pool["num_threads"] for pool in threadpool_info()]
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_a_library_loaded_later_is_limited_too() -> None:
    out = subprocess.run([sys.executable, "-c", _LOADED_LATER], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines() == ["[1]", "[2]"]
