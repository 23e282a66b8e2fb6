from __future__ import annotations

import argparse
from dataclasses import fields

import pytest

from workbench.runtime.errors import InputError
from workbench.runtime.serving.serving_settings import (
    ServeSettings,
    add_serve_options,
    duration_s,
    settings_from,
    settings_of,
)


def parse(*arguments: str) -> ServeSettings:
    parser = argparse.ArgumentParser()
    add_serve_options(parser)
    return settings_of(parser.parse_args(arguments))


def test_every_setting_has_an_option_with_the_same_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    assert parse() == ServeSettings()
    monkeypatch.setenv("PORT", "9000")
    assert parse().port == 9000
    assert parse("--port", "0", "--max-data-age", "90d").max_data_age_s == 90 * 86400


def test_a_table_says_the_same_as_options() -> None:
    table = {
        "port": 0,
        "timeout": "5s",
        "max-body": 10,
        "max_data_age": "2w",
        "strict": True,
        "expect": "a@1",
    }
    options = "--port 0 --timeout 5s --max-body 10 --max-data-age 2w --strict --expect a@1"
    assert settings_from(table, "[http]") == parse(*options.split())
    for each in fields(ServeSettings):
        assert each.name in ServeSettings.__doc__  # type: ignore[operator]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"prot": 1}, "key 'prot' is unknown. Did you mean port?"),
        ({"port": "80"}, "key 'port': found '80'; expected a value of type int"),
        ({"port": True}, "key 'port'"),
        ({"workers": -1}, "key 'workers'"),
        ({"strict": 1}, "key 'strict': found 1; expected a value of type bool"),
        ({"timeout": "soon"}, "expected a duration above zero such as 90s"),
        ({"log": 5}, "key 'log'"),
        ({"timeout_s": 5}, "is unknown"),
    ],
)
def test_a_wrong_table_is_named(table: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as caught:
        settings_from(table, "[http]")
    assert words in str(caught.value)


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("1.5m", 90), ("12 H", 43200), ("1w", 604800)])
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1s", "1y", "m", "1 2"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        duration_s(text)
