"""Write a program in five languages."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    count,
)
from .sql import sql

_C_REMAINDER = """static double scorer_remainder(double value, double divisor) {
  double left = fmod(value, divisor);
  return left < 0 ? left + divisor : left;
}

"""
_JAVA_METHOD_NODES = 700  # Java allows at most 64 KB of code for each method


@dataclass(frozen=True, slots=True)
class Spelling:
    """The syntax of a language.

    Attributes
    ----------
    value, number, text : str
        Of a computed value, a numeric input and a string input, with ``{}`` for its position.
    missing : str
        Whether a number is missing, with ``{}`` for it.
    nan : str
    call : str
        A call of floor, exp or tanh, with ``{}`` for the name.
    choice : callable
        From test, yes and no to an expression.
    lookup : callable
        From a string input and a lookup's number to an expression.
    remainder : str
        The name of the function for it.
    """

    value: str
    number: str
    text: str
    missing: str
    nan: str
    call: str
    choice: Callable[[str, str, str], str]
    lookup: Callable[[str, int], str]
    remainder: str = "remainder"

    def expression(self, formula: Formula, lookups: dict[int, int]) -> str:
        """Return a formula in this language; `lookups` maps each lookup to the number of its
        function.
        """
        if isinstance(formula, Constant):
            return self.constant(formula.value)
        if isinstance(formula, Value):
            return self.value.format(formula.at)
        if isinstance(formula, Input):
            return self.number.format(formula.at)
        if isinstance(formula, Arithmetic):
            left, right = (self.expression(each, lookups) for each in (formula.left, formula.right))
            return f"({left} {formula.sign} {right})"
        if isinstance(formula, Call):
            return f"{self.call.format(formula.name)}({self.expression(formula.value, lookups)})"
        if isinstance(formula, Remainder):
            return f"{self.remainder}({self.expression(formula.value, lookups)}, {self.constant(formula.divisor)})"
        if isinstance(formula, Lookup):
            return self.lookup(self.text.format(formula.at), lookups[id(formula)])
        if isinstance(formula, IfMissing):
            test = self.missing.format(self.expression(formula.value, lookups))
        else:
            assert isinstance(formula, Choice)
            test = f"{self.expression(formula.left, lookups)} {formula.sign} {self.expression(formula.right, lookups)}"
        return self.choice(test, self.expression(formula.yes, lookups), self.expression(formula.no, lookups))

    def constant(self, value: float) -> str:
        """Return a float64 as a literal that is read back exactly."""
        if math.isnan(value):
            return self.nan
        text = repr(float(value))
        return f"({text})" if text.startswith("-") else text


def _ternary(test: str, yes: str, no: str) -> str:
    return f"({test} ? {yes} : {no})"


def _lookup_call(text: str, at: int) -> str:
    return f"lookup{at}({text})"


_PYTHON = Spelling(
    "v[{}]",
    "x[{}]",
    "t[{}]",
    "{0} != {0}",
    "math.nan",
    "_{}",
    lambda a, b, c: f"({b} if {a} else {c})",
    _lookup_call,
)
_C = Spelling("v[{}]", "x[{}]", "t[{}]", "isnan({})", "NAN", "{}", _ternary, _lookup_call, "scorer_remainder")
_JAVA = Spelling(
    "v[{}]", "x[{}]", "t[{}]", "Double.isNaN({})", "Double.NaN", "Math.{}", _ternary, _lookup_call
)
_JAVASCRIPT = Spelling(
    "v[{}]", "x[{}]", "t[{}]", "Number.isNaN({})", "NaN", "Math.{}", _ternary, _lookup_call
)


def _lookups(program: Program) -> list[Lookup]:
    """Return the lookups of a program; they are never inside another formula."""
    return [each for level in program.levels for each in level if isinstance(each, Lookup)]


def _numbered(lookups: Sequence[Lookup]) -> dict[int, int]:
    return {id(each): at for at, each in enumerate(lookups)}


def _assignments(program: Program, spelling: Spelling) -> list[tuple[str, int]]:
    """Return one assignment for each value, without its terminator, and its number of formulas."""
    numbers = _numbered(_lookups(program))
    formulas = [each for level in program.levels for each in level]
    return [
        (f"{spelling.value.format(at)} = {spelling.expression(each, numbers)}", count(each))
        for at, each in enumerate(formulas)
    ]


def _quoted(text: str) -> str:
    """Return a string literal of C, Java and JavaScript."""
    out = json.dumps(text, ensure_ascii=False)
    return out.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _array(texts: Sequence[str]) -> str:
    return ", ".join(_quoted(text) for text in texts)


def _about(about: str, mark: str) -> str:
    lines = [
        about,
        "Numbers, booleans (1 or 0) and date-times (seconds since 1970 UTC) are numbers. Categories are strings,",
        "without surrounding blanks; those that are whole numbers have no decimal part. There are no dependencies.",
    ]
    return "".join(f"{mark} {line}\n" for line in lines)


def _labels(output: Output) -> list[str]:
    return [label_text(label) for label in output.classes]


def python(program: Program, output: Output, about: str) -> str:
    """Return ``scorer.py``."""
    tables = "".join(
        f"_TABLE{at} = {_python_table(each)}\n\n\ndef lookup{at}(text):\n    if not text:\n"
        f"        return {_PYTHON.constant(each.missing)}\n"
        f"    return _TABLE{at}.get(text, {_PYTHON.constant(each.other)})\n\n\n"
        for at, each in enumerate(_lookups(program))
    )
    body = "".join(f"    {line}\n" for line, _ in _assignments(program, _PYTHON))
    results = ", ".join(f"v[{at}]" for at in program.results)
    if output.classes:
        chosen = f"int(out[1] >= {output.threshold!r})" if output.task == "binary" else "out.index(max(out))"
        answer = f'    return {{"label": LABELS[{chosen}], "probabilities": out}}\n'
    else:
        answer = '    return {"value": out[0]}\n'
    return f'''{_about(about, "#")}import math

NUMBERS = {program.numbers!r}
TEXTS = {program.texts!r}
LABELS = {list(output.classes)!r}


def _floor(value):
    return float(math.floor(value)) if math.isfinite(value) else math.nan


def _exp(value):
    return math.exp(min(value, 709.0))


def _tanh(value):
    return math.tanh(value)


def remainder(value, divisor):
    return value % divisor if math.isfinite(value) else math.nan


def _number(value):
    return math.nan if value is None else float(value)


{tables}def score(row):
    """Predict one row, a dict from column to value; None, or a column that is left out, is a missing value."""
    x = [_number(row.get(name)) for name in NUMBERS]
    t = [row.get(name) for name in TEXTS]
    v = [0.0] * {program.size}
{body}    out = [{results}]
{answer}'''


def _python_table(lookup: Lookup) -> str:
    entries = ", ".join(f"{text!r}: {_PYTHON.constant(value)}" for text, value in lookup.table.items())
    return f"{{{entries}}}"


def javascript(program: Program, output: Output, about: str) -> str:
    """Return ``scorer.js``: for Node.js, and for a page as the global ``scorer``."""
    tables = "".join(
        f"const table{at} = new Map([{_js_entries(each)}]);\n"
        f'const lookup{at} = (text) => text === null || text === undefined || text === "" '
        f"? {_JAVASCRIPT.constant(each.missing)} "
        f": table{at}.has(text) ? table{at}.get(text) : {_JAVASCRIPT.constant(each.other)};\n"
        for at, each in enumerate(_lookups(program))
    )
    body = "".join(f"  {line};\n" for line, _ in _assignments(program, _JAVASCRIPT))
    labels = json.dumps(list(output.classes), ensure_ascii=False)
    results = ", ".join(f"v[{at}]" for at in program.results)
    if output.classes:
        chosen = (
            f"Number(out[1] >= {output.threshold!r})"
            if output.task == "binary"
            else "out.indexOf(Math.max(...out))"
        )
        answer = f"  return {{ label: labels[{chosen}], probabilities: out }};\n"
    else:
        answer = "  return { value: out[0] };\n"
    return f"""{_about(about, "//")}const scorer = (() => {{
const numbers = [{_array(program.numbers)}];
const texts = [{_array(program.texts)}];
const labels = {labels};
const remainder = (value, divisor) => {{
  const left = value % divisor;
  return left < 0 ? left + divisor : left;
}};
{tables}
// Predict one row, an object from column to value; null, or a column that is left out, is a missing value.
function score(row) {{
  const x = numbers.map((name) => (row[name] === null || row[name] === undefined ? NaN : Number(row[name])));
  const t = texts.map((name) => row[name]);
  const v = new Float64Array({program.size});
{body}  const out = [{results}];
{answer}}}
return {{ numbers, texts, labels, score }};
}})();
if (typeof module !== "undefined") module.exports = scorer;
"""


def _js_entries(lookup: Lookup) -> str:
    return ", ".join(
        f"[{_quoted(text)}, {_JAVASCRIPT.constant(value)}]" for text, value in lookup.table.items()
    )


def c(program: Program, output: Output, about: str) -> str:
    """Return ``scorer.c``: the columns' names, the labels, and one function that fills the
    prediction's numbers.
    """
    tables = "".join(
        f"static double lookup{at}(const char *text) {{\n"
        f"  if (text == NULL || *text == '\\0') return {_C.constant(each.missing)};\n"
        + "".join(
            f"  if (strcmp(text, {_c_text(text)}) == 0) return {_C.constant(value)};\n"
            for text, value in each.table.items()
        )
        + f"  return {_C.constant(each.other)};\n}}\n\n"
        for at, each in enumerate(_lookups(program))
    )
    body = "".join(f"  {line};\n" for line, _ in _assignments(program, _C))
    results = "".join(f"  out[{at}] = v[{place}];\n" for at, place in enumerate(program.results))
    label = ""
    if output.task == "binary":
        label = f"int scorer_label(const double *out) {{ return out[1] >= {output.threshold!r}; }}\n"
    elif output.classes:
        label = (
            "int scorer_label(const double *out) {\n  int best = 0;\n"
            f"  for (int i = 1; i < {len(output.classes)}; i++) if (out[i] > out[best]) best = i;\n"
            "  return best;\n}\n"
        )
    names = {
        "scorer_numbers": program.numbers,
        "scorer_texts": program.texts,
        "scorer_labels": _labels(output),
    }
    helpers = _C_REMAINDER if "scorer_remainder(" in body else ""
    arrays = "".join(
        f"const char *const {name}[] = {{{''.join(_c_text(text) + ', ' for text in texts)}NULL}};\n"
        for name, texts in names.items()
    )
    return f"""{_about(about, "//")}#include <math.h>
#include <stddef.h>
#include <string.h>

{arrays}
{helpers}{tables}
// Fill out ({len(program.results)} numbers); the columns come in the order of scorer_numbers and scorer_texts.
// NAN is a missing number, NULL or an empty text a missing text.
void scorer_score(const double *x, const char *const *t, double *out) {{
  static _Thread_local double v[{program.size}];
  (void)x;
  (void)t;
{body}{results}}}

{"// The place in scorer_labels of the label that out stands for." + chr(10) if label else ""}{label}"""


def _c_text(text: str) -> str:
    """Return a string literal of C in UTF-8; with octal escapes, because hexadecimal ones have no
    fixed length.
    """
    body = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{body}"'


def java(program: Program, output: Output, about: str) -> str:
    """Return ``Scorer.java``."""
    tables = "".join(
        f"  private static double lookup{at}(String text) {{\n"
        f"    if (text == null || text.isEmpty()) return {_JAVA.constant(each.missing)};\n"
        "    switch (text) {\n"
        + "".join(
            f"      case {_quoted(text)}: return {_JAVA.constant(value)};\n"
            for text, value in each.table.items()
        )
        + f"      default: return {_JAVA.constant(each.other)};\n    }}\n  }}\n\n"
        for at, each in enumerate(_lookups(program))
    )
    methods, calls = _java_methods(_assignments(program, _JAVA))
    results = ", ".join(f"v[{at}]" for at in program.results)
    label = ""
    if output.task == "binary":
        label = f"    return out[1] >= {output.threshold!r} ? 1 : 0;\n"
    elif output.classes:
        label = (
            "    int best = 0;\n    for (int i = 1; i < out.length; i++) if (out[i] > out[best]) best = i;\n"
            "    return best;\n"
        )
    place = (
        "\n  /** Return the position in LABELS of the predicted label. */\n"
        f"  public static int label(double[] out) {{\n{label}  }}\n"
        if label
        else ""
    )
    return f"""{_about(about, "//")}public final class Scorer {{
  public static final String[] NUMBERS = {{{_array(program.numbers)}}};
  public static final String[] TEXTS = {{{_array(program.texts)}}};
  public static final String[] LABELS = {{{_array(_labels(output))}}};

  private Scorer() {{}}

  private static double remainder(double value, double divisor) {{
    double left = value % divisor;
    return left < 0 ? left + divisor : left;
  }}

{tables}{methods}  /**
   * Predict one row, its columns in the order of NUMBERS and TEXTS: NaN is a missing number, null or an empty text a
   * missing text.
   */
  public static double[] score(double[] x, String[] t) {{
    double[] v = new double[{program.size}];
{calls}    return new double[] {{{results}}};
  }}
{place}}}
"""


def _java_methods(assignments: Sequence[tuple[str, int]]) -> tuple[str, str]:
    parts: list[list[str]] = [[]]
    weight = 0
    for line, nodes in assignments:
        if weight + nodes > _JAVA_METHOD_NODES and parts[-1]:
            parts.append([])
            weight = 0
        parts[-1].append(line)
        weight += nodes
    methods = "".join(
        f"  private static void part{at}(double[] x, String[] t, double[] v) {{\n"
        + "".join(f"    {line};\n" for line in lines)
        + "  }\n\n"
        for at, lines in enumerate(parts)
    )
    return methods, "".join(f"    part{at}(x, t, v);\n" for at in range(len(parts)))


Writer = Callable[[Program, Output, str], str]

#: The file name and the writer of each language.
LANGUAGES: dict[str, tuple[str, Writer]] = {
    "python": ("scorer.py", python),
    "c": ("scorer.c", c),
    "java": ("Scorer.java", java),
    "javascript": ("scorer.js", javascript),
    "sql": ("scorer.sql", sql),
}
