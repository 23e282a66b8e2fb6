"""When the exact memory of all processes is read."""

from __future__ import annotations

import pytest

from workbench.automl.coordinator.pool import memory


def test_exact_memory_is_read_at_a_new_peak_and_regularly(monkeypatch: pytest.MonkeyPatch) -> None:
    held, looks = iter([100.0, 100.5, 90.0, 150.0, *[150.0] * 40]), []
    monkeypatch.setattr(memory, "resident_mb", lambda process: next(held))
    monkeypatch.setattr(memory, "proportional_mb", lambda process: looks.append(process) or 80.0)
    watch = memory.MemoryWatch(lambda: [1])
    found = []
    for _ in range(25):
        watch.tick()
        found.append(len(looks))
    assert found[:4] == [1, 1, 1, 2], "at the first look and at a new peak"
    assert found[-1] == 3, "and now and then in any case"
    assert watch.peak_mb == 80.0
