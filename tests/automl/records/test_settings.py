from __future__ import annotations

import pytest

from workbench.automl import arguments
from workbench.automl.records.settings import Settings
from workbench.errors import SettingsError


@pytest.mark.parametrize("text", ["0", "0s", "-5s", "soon", "", "5 parsecs", "1e400"])
def test_a_duration_that_makes_no_sense_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="time"):
        arguments.duration("time", text)


def test_texts_are_read_with_their_units() -> None:
    seconds = [arguments.duration("time", each) for each in ("90", "1.5m", 90)]
    assert seconds == [90.0] * 3
    assert arguments.latency("max_latency", "0.5ms") == arguments.latency("max_latency", "500us") == 500.0
    assert arguments.size("max_size", "1.5GB") == arguments.size("max_size", "1500mb") == 1500.0


@pytest.mark.parametrize("text", ["5", "0ms", "fast"])
def test_a_latency_needs_its_unit(text: str) -> None:
    with pytest.raises(SettingsError, match="2ms"):
        arguments.latency("max_latency", text)


@pytest.mark.parametrize(
    "wrong",
    [{"task": "ranking"}, {"trials": 0}, {"time_s": 0.5}, {"workers": -1}, {"seed": -1}],
)
def test_wrong_settings_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong)).split("_")[0]):
        Settings(target="y", **wrong).checked()  # type: ignore[arg-type]


def test_settings_survive_json() -> None:
    settings = Settings(target="y", families=("linear",), drop=("a", "b"), trials=3, time_s=None).checked()
    assert Settings.from_json({**settings.to_json(), "from_the_future": 1}) == settings
    assert settings.workers >= 1


def test_only_a_trial_count_and_one_worker_is_repeatable() -> None:
    assert Settings(target="y", time_s=None, trials=3, workers=1).repeatable
    assert not Settings(target="y", time_s=60.0, trials=3, workers=1).repeatable
    assert not Settings(target="y", time_s=None, trials=3, workers=2).repeatable
