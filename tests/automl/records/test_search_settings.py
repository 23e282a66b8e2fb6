"""One table of settings: fields, signatures, docstrings and options are equal to it."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

import workbench as wb
from workbench.automl.records.search_settings import BY_NAME, SETTINGS
from workbench.automl.records.setting import REQUIRED, Setting
from workbench.automl.records.settings import Settings, read_settings
from workbench.cli.entry import parser
from workbench.errors import SettingsError
from workbench.export import export_bundle
from workbench.tradeoff.terms import TERMS, read_given

#: Parameters of the functions that are not settings of a search.
OF_SEARCH = {"data", "out", "progress", "stop", "used_s"}
OF_TERMS = {"self", "pick", "how", "limits", "threshold", "note", "by", "reset", "revision"}
#: What an estimator calls otherwise, or has another default for: it is part of a pipeline, not of
#: an evening.
OF_ESTIMATORS = {"self", "time", "pick", "random_state", "n_jobs"}


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def sentence(setting: Setting) -> str:
    """Return a setting's help as a docstring has it."""
    text = f"{setting.help[0].upper()}{setting.help[1:]}."
    return f"{text} Default: {setting.default_text}." if setting.default_text else text


def documented(function: Callable[..., Any]) -> dict[str, str]:
    """Return the text of each parameter in a numpydoc docstring, on one line."""
    _, _, after = (inspect.getdoc(function) or "").partition("Parameters\n----------\n")
    entries = re.split(r"^(\w[\w, \n]*?)(?: : .*)?\n(?=    )", after.partition("\n\n")[0], flags=re.MULTILINE)
    return {
        name.strip(): " ".join(text.split())
        for names, text in zip(entries[1::2], entries[2::2], strict=True)
        for name in names.replace("\n", " ").split(",")
    }


def check_signature(function: Callable[..., Any], other: set[str]) -> None:
    for name, parameter in parameters(function).items():
        if name not in other:
            setting = BY_NAME[name]
            assert parameter.annotation == setting.annotation, name
            default = inspect.Parameter.empty if setting.default is REQUIRED else setting.default
            assert parameter.default == default, name


def test_the_fields_of_settings_are_those_of_the_table() -> None:
    assert {field.name for field in fields(Settings)} == {setting.stored_as for setting in SETTINGS}


def test_search_takes_every_setting_as_a_named_argument() -> None:
    names = [name for name in parameters(wb.search) if name not in OF_SEARCH]
    assert names == [setting.name for setting in SETTINGS]
    check_signature(wb.search, OF_SEARCH)


def test_the_docstring_of_search_is_that_of_the_table() -> None:
    texts = documented(wb.search)
    for setting in SETTINGS:
        assert texts[setting.name] == sentence(setting)


@pytest.mark.parametrize(
    "function", [wb.Run.terms, wb.Run.leaderboard, wb.Run.front, wb.Run.pick, wb.Run.decide]
)
def test_what_a_choice_depends_on_is_spelled_out(function: Callable[..., Any]) -> None:
    named = parameters(function)
    assert set(TERMS) - {"pick"} <= set(named)
    assert not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in named.values())
    check_signature(function, OF_TERMS)
    assert set(named) - {"self"} <= set(documented(function))


def test_the_terms_are_those_that_the_trade_off_reads() -> None:
    read = parameters(read_given)
    assert list(TERMS) == [name for name in read if name != "task"]
    for name in TERMS:
        assert parameters(wb.Run.terms)[name].default is read[name].default is None


def test_an_export_is_spelled_out() -> None:
    theirs = {
        name: each for name, each in parameters(export_bundle).items() if name not in ("run", "choice", "out")
    }
    ours = {
        name: each
        for name, each in parameters(wb.Run.export).items()
        if name not in ("self", "choice", "path")
    }
    assert {name: each.default for name, each in ours.items()} == {
        name: each.default for name, each in theirs.items()
    }
    assert set(ours) <= set(documented(wb.Run.export))


@pytest.mark.parametrize("estimator", [wb.WorkbenchClassifier, wb.WorkbenchRegressor])
def test_the_estimators_take_settings_as_search_does(estimator: type) -> None:
    check_signature(estimator.__init__, OF_ESTIMATORS)


def test_the_command_takes_every_setting() -> None:
    verbs = next(each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    options = {action.dest: action for action in verbs.choices["search"]._actions}
    for setting in SETTINGS:
        action = options[setting.name]
        assert action.option_strings == [setting.option]
        assert action.metavar == setting.metavar
        assert action.required == (setting.default is REQUIRED)
        assert not set(re.findall("`[a-z]", action.help or ""))
    assert {name for name in options if name not in BY_NAME} == {
        "help",
        "data",
        "out",
        "json",
        "verbosity",
    }


def test_every_setting_reads_its_own_default() -> None:
    for setting in SETTINGS:
        if setting.default not in (None, REQUIRED):
            setting.accept(setting.default)
    assert read_settings({"target": "y", **{each.name: each.default for each in SETTINGS[1:]}}).target == "y"


@pytest.mark.parametrize(
    "setting", [each for each in SETTINGS if abs(each.low) != float("inf")], ids=lambda each: each.name
)
def test_a_value_below_the_range_is_refused_by_name(setting: Setting) -> None:
    with pytest.raises(SettingsError, match=rf"^{setting.name}: found .*; expected (a|at) "):
        setting.check(setting.low - 1)
    setting.check(setting.low)


def test_python_refuses_what_is_not_a_setting() -> None:
    with pytest.raises(TypeError, match="max_latncy"):
        wb.search("x.csv", "y", max_latncy="2ms")  # type: ignore[call-arg]
