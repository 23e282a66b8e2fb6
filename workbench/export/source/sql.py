"""Write a program as one SQL query, for SQLite, DuckDB, PostgreSQL and others with ``WITH``,
``floor`` and ``exp``.
"""

from __future__ import annotations

import math

from workbench.errors import ExportError
from workbench.runtime.core.schema import Output, label_text

from .formulas import (
    Arithmetic,
    Call,
    Choice,
    Constant,
    Formula,
    IfMissing,
    Input,
    Lookup,
    Program,
    Remainder,
    Value,
)

_MOST_COLUMNS = 1_800


def sql(program: Program, output: Output, about: str) -> str:
    """Return ``scorer.sql``: the rows of the table ``input`` with their predictions."""
    if program.size > _MOST_COLUMNS:
        raise ExportError(
            "the model is too wide for SQL",
            found=f"{program.size} values",
            expected=f"at most {_MOST_COLUMNS}, the limit of columns in SQLite",
        )
    head = [
        about,
        "Predicts every row of the table input, which has the columns of the model. Booleans are 1 or 0, date-times",
        "are seconds since 1970 UTC, and NULL is a missing value. Needs WITH, floor, exp, and tanh if it is used.",
    ]
    parts = ["level_0 AS (SELECT * FROM input)"]
    start = 0
    for at, level in enumerate((each for each in program.levels if each), start=1):
        values = ", ".join(
            f"{_expression(formula, program)} AS {_value(start + place)}"
            for place, formula in enumerate(level)
        )
        # materialized, because a planner may otherwise inline each formula at every use
        parts.append(f"level_{at} AS MATERIALIZED (SELECT *, {values} FROM level_{at - 1})")  # noqa: S608
        start += len(level)
    last = len(parts) - 1
    columns = ", ".join(_name(name) for name in (*program.numbers, *program.texts))
    results = [_value(at) for at in program.results]
    joined = ",\n".join(parts)
    comment = "".join(f"-- {line}\n" for line in head)
    return f"{comment}WITH {joined}\nSELECT {columns}, {_outputs(output, results)}\nFROM level_{last};\n"


def _outputs(output: Output, results: list[str]) -> str:
    if not output.classes:
        return f'{results[0]} AS "prediction"'
    labels = [_label(label) for label in output.classes]
    shares = ", ".join(
        f"{result} AS {_name('probability_' + label_text(label))}"
        for result, label in zip(results, output.classes, strict=True)
    )
    if output.task == "binary":
        chosen = f"CASE WHEN {results[1]} >= {output.threshold!r} THEN {labels[1]} ELSE {labels[0]} END"
    else:
        cases = ""
        for at, label in enumerate(labels[:-1]):
            beats = " AND ".join(f"{results[at]} >= {other}" for other in results[at + 1 :])
            cases += f" WHEN {beats} THEN {label}"
        chosen = f"CASE{cases} ELSE {labels[-1]} END"
    return f'{chosen} AS "prediction", {shares}'


def _label(label: object) -> str:
    if isinstance(label, bool):
        return "1" if label else "0"
    return repr(label) if isinstance(label, int | float) else _text(str(label))


def _value(at: int) -> str:
    return f"scorer_{at}"


def _name(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _text(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NULL"
    text = repr(float(value))
    text = text if "e" in text else f"{text}e0"  # a DECIMAL in some databases otherwise
    return f"({text})" if text.startswith("-") else text


def _expression(formula: Formula, program: Program) -> str:
    if isinstance(formula, Constant):
        return _number(formula.value)
    if isinstance(formula, Value):
        return _value(formula.at)
    if isinstance(formula, Input):
        return f"CAST({_name(program.numbers[formula.at])} AS DOUBLE PRECISION)"
    if isinstance(formula, Arithmetic):
        return f"({_expression(formula.left, program)} {formula.sign} {_expression(formula.right, program)})"
    if isinstance(formula, Call):
        return f"{formula.name}({_expression(formula.value, program)})"
    if isinstance(formula, Remainder):  # by floor, because not every SQL has a remainder
        value, divisor = _expression(formula.value, program), _number(formula.divisor)
        return f"({value} - {divisor} * floor({value} / {divisor}))"
    if isinstance(formula, Lookup):
        return _lookup(formula, program)
    if isinstance(formula, IfMissing):
        test = f"{_expression(formula.value, program)} IS NULL"
    else:
        assert isinstance(formula, Choice)
        test = f"{_expression(formula.left, program)} {formula.sign} {_expression(formula.right, program)}"
    return f"CASE WHEN {test} THEN {_expression(formula.yes, program)} ELSE {_expression(formula.no, program)} END"


def _lookup(formula: Lookup, program: Program) -> str:
    column = _name(program.texts[formula.at])
    cases = "".join(
        f" WHEN {column} = {_text(text)} THEN {_number(value)}" for text, value in formula.table.items()
    )
    missing = f"WHEN {column} IS NULL OR {column} = '' THEN {_number(formula.missing)}"
    return f"CASE {missing}{cases} ELSE {_number(formula.other)} END"
