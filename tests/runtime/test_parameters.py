"""Names of parameters in messages, and flags in their place on command lines."""

from __future__ import annotations

import argparse
import shlex

import pytest

from workbench.runtime.parameters import Flag, flags_of, parameter, with_flags


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser()
    verb = top.add_subparsers().add_parser("go")
    verb.add_argument("--drop", action="append")
    verb.add_argument("--kind", dest="kinds", action="append")
    verb.add_argument("--max-memory")
    verb.add_argument("-q", "--quiet", action="store_true")
    verb.add_argument("--no-write", dest="write", action="store_false")
    verb.add_argument("place")
    return top


FLAGS = flags_of(parser())


def test_flags_are_those_of_the_parser() -> None:
    assert FLAGS["max_memory"] == Flag("--max-memory")
    assert FLAGS["kinds"].text == "--kind"
    assert FLAGS["quiet"] == Flag("--quiet", takes_value=False)
    assert FLAGS["write"] == Flag("--no-write", takes_value=False)
    assert "place" not in FLAGS


@pytest.mark.parametrize(
    "name", ["id", "my id", "-x", "$(id)", "it's", 'say "a"', "a `b`", "a\nb", "é=ü", "", "3"]
)
def test_a_value_comes_through_a_shell_as_it_is(name: str) -> None:
    assert shlex.split(with_flags(parameter("drop", name), FLAGS)) in (["--drop", name], [f"--drop={name}"])
    assert shlex.split(with_flags(parameter("kinds", {name: "text"}), FLAGS))[-1].endswith(f"{name}=text")


def test_a_list_repeats_the_flag() -> None:
    assert with_flags(parameter("drop", ["a", "b c"]), FLAGS) == "--drop a --drop 'b c'"


def test_switches_have_no_value() -> None:
    assert with_flags("use `quiet=True` or `write=False`", FLAGS) == "use --quiet or --no-write"


def test_other_words_in_backticks_stay() -> None:
    text = "see `SQL`, `place`, `unknown` and `max_memory`"
    assert with_flags(text, FLAGS) == "see `SQL`, `place`, `unknown` and --max-memory"


def test_the_head_is_translated_only_if_all_of_it_is_known() -> None:
    assert with_flags("drop and kinds: found both", FLAGS, head=True) == "--drop and --kind: found both"
    assert with_flags("drop and dance: found both", FLAGS, head=True) == "drop and dance: found both"
    assert with_flags("drop: found both", FLAGS) == "drop: found both"
