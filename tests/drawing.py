"""How tests draw random inputs: the same for everybody in the suite, fresh ones in
``scripts/fuzz``.

The suite must not fail on one machine and pass on the next. So Hypothesis is derandomised: what a
test draws follows from its code alone. No database of earlier failures has an influence, nor do the
constants that Hypothesis collects from whatever modules of the project happen to be imported, nor
the time that drawing takes on a busy machine.

``scripts/fuzz`` sets ``WORKBENCH_FUZZ`` to the factor by which it takes more examples, and passes
the seed to pytest.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from hypothesis.internal.conjecture import providers

_FACTOR = "WORKBENCH_FUZZ"
_SLOW_IS_FINE = (HealthCheck.too_slow,)


def fuzz_factor() -> int:
    """Return by how much more examples are drawn than in the suite; 0 where this is the suite."""
    return int(os.environ.get(_FACTOR, "0"))


def examples(count: int) -> int:
    """Return how many examples to take where the suite takes ``count``."""
    return count * max(fuzz_factor(), 1)


def settle() -> None:
    """Make all tests that are defined from now on draw as this module says."""
    common: dict[str, Any] = {
        "deadline": None,
        "database": None,
        "print_blob": True,
        "suppress_health_check": _SLOW_IS_FINE,
    }
    settings.register_profile("suite", derandomize=True, **common)
    settings.register_profile("fuzz", derandomize=False, **common)
    settings.load_profile("fuzz" if fuzz_factor() else "suite")
    providers._get_local_constants = providers.Constants  # none, whichever modules are imported


def settle_each(items: list[pytest.Item]) -> None:
    """Hold tests that have settings of their own to the same rules: they replace those of the
    profile.
    """
    functions = [item.obj for item in items if isinstance(item, pytest.Function)]
    for test in {id(each): each for each in functions if is_hypothesis_test(each)}.values():
        own = test._hypothesis_internal_use_settings
        test._hypothesis_internal_use_settings = settings(
            own,
            deadline=None,
            max_examples=examples(own.max_examples),
            suppress_health_check={*own.suppress_health_check, *_SLOW_IS_FINE},
        )
