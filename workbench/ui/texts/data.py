"""Strings of the page Data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "Choose a table with one row per case, and a column with the outcome."
SOURCE = "Source of the table"
UPLOAD, PICK, SAMPLE, BRING = "Upload a file", "A table on the server", "A sample", "A path or an address"
UPLOAD_LABEL = "Table"
UPLOAD_HELP = (
    "CSV, TSV, Excel, Parquet, JSON and other tables, also compressed; up to {limit} MB. Only you "
    "can see it until you start a search with it."
)
ENCODING_TITLE = "Wrong characters?"
ENCODING = "Encoding of the file"
ENCODING_HELP = "The character encoding of the file. The search and the bundle read files in the same way."
ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "": "Detected automatically",
        "utf-8": "UTF-8",
        "cp1252": "Western European (Windows-1252)",
        "cp1250": "Central European (Windows-1250)",
        "iso8859_2": "Central European (ISO 8859-2)",
        "cp1251": "Cyrillic (Windows-1251)",
        "koi8_r": "Cyrillic (KOI8-R)",
        "cp1253": "Greek (Windows-1253)",
        "cp1254": "Turkish (Windows-1254)",
        "cp1255": "Hebrew (Windows-1255)",
        "cp1256": "Arabic (Windows-1256)",
        "cp932": "Japanese (Shift-JIS)",
        "euc_jp": "Japanese (EUC-JP)",
        "gb18030": "Simplified Chinese (GB 18030, GBK)",
        "cp950": "Traditional Chinese (Big5)",
        "cp949": "Korean (EUC-KR)",
        "utf-16": "UTF-16",
    }
)
PICK_LABEL = "Table on the server"
PICK_NONE = "There is no table in {folder} yet. The operator of the app can add some."
SAMPLE_LABEL = "Sample table"
SAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "subscriptions": "Subscriptions: who cancels?",
        "breast_cancer": "Breast cancer: benign or malignant?",
        "wine": "Wine: which cultivar?",
        "iris": "Iris: which species?",
        "digits": "Digits: which digit is it?",
        "diabetes": "Diabetes: how far will it progress?",
    }
)
BRING_LABEL = "Path or URL of the table"
BRING_HELP = (
    "The table is copied, and only you can see it, as for an upload; up to {limit} MB. Allowed: {places}."
)
BRING_BUTTON = "Load"
BRINGING = "Loading the table …"
NOTHING = "Choose a table to continue."
READING = "Reading the table …"
ROWS, COLUMNS, MISSING, WARNINGS = "Rows", "Columns", "Missing cells", "Warnings"
TARGET = "What should the model predict?"
TARGET_HELP = "The column with the outcome of each case. The model learns to predict it for new cases."
TARGET_PROMPT = "Pick the column to predict"
TARGET_CLASSES = "**{target}** is {task}: {shares}."
TARGET_NUMBER = "**{target}** is a number from {low} to {high}, with a median of {median}."
TARGET_WITHOUT = " {count} rows without a value are left out."
PREVIEW = "First rows"
COLUMNS_TITLE = "Columns"
COLUMNS_HELP = "Select rows to leave them out. Click a heading to sort."
COLUMN_LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "name": ("column", "The name in the file."),
        "kind": ("kind", "The type of its values."),
        "role": ("role", "The role of the column in the search."),
        "missing": ("missing", "Share of rows without a value."),
        "distinct": ("distinct", "Number of different values."),
        "values": ("values", "The range, or the most frequent values."),
    }
)
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "input": "used",
        "target": "to predict",
        "identifier": "left out: an identifier",
        "constant": "left out: constant",
        "unusable": "left out: cannot be read",
        "dropped": "left out by you",
    }
)
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "number": "number",
        "boolean": "yes or no",
        "category": "category",
        "datetime": "date",
        "text": "text",
        "other": "unreadable",
    }
)
LEAVE_OUT = "Leave out"
LEAVE_OUT_SELECTED = "Leave out the selected columns"
LEFT_OUT = "Columns left out"
LEFT_OUT_HELP = "The model does not use these columns. Remove one from this list to use it again."
LOOK_AT = "Explore a column"
LOOK_MISSING = "{count} of {rows} rows have no value in this column."
KIND_TITLE = "Change the kind of a column"
KIND_INTRO = (
    "A postcode looks like a number but is a category. The kinds set here are stored in the run, "
    "and the model reads new rows in the same way. Your file does not change."
)
KINDS_TO_SAY: Mapping[str, str] = MappingProxyType(
    {"number": "number", "category": "category", "text": "free text", "date": "date"}
)
KIND_COLUMN, KIND_AS, KIND_APPLY = "Column", "Read it as", "Apply"
KIND_DONE = "Corrected: {list}"
FINDINGS = "Findings before the search"
FINDINGS_NONE = "No findings: no identifiers, leaks, duplicate rows or rare classes."
FINDINGS_FIRST = "Pick the column to predict to check for leaks and rare classes too."
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "identifier": "It identifies rows and does not generalise to new ones. No action needed.",
        "index_column": "It numbers the rows. No action needed.",
        "constant": "It has only one value, so the model cannot learn from it. No action needed.",
        "all_missing": "It is empty. No action needed.",
        "leak": (
            "It may be known only after the outcome. If so, leave it out, or the score is too optimistic."
        ),
        "strong_column": ("Check whether its value is known at prediction time. If not, leave it out."),
        "one_target_an_id": "Set this column as “Rows that belong together” on the page Goal.",
        "copies_but_one": (
            "Set a column that the copies share as “Rows that belong together” on the page Goal."
        ),
        "duplicate_rows": (
            "Remove the copies, or set a column that they share as “Rows that belong together” on "
            "the page Goal."
        ),
        "duplicate_columns": ("Keep one of them; leaving the others out makes the model faster."),
        "rare_class": "There are few rows of this class. More rows of it help most.",
        "imbalance": ("Compare costs on the page Choose rather than accuracy."),
        "ambiguous_dates": "Write dates as 2024-12-31 to avoid ambiguity.",
        "odd_dates": "Correct them at the source if they are typing errors.",
        "missing_code": "If it means “missing”, leave the cell empty in the file instead.",
        "zero_values": ("If zero is not a possible value here, leave those cells empty in the file."),
        "mostly_missing": "Leave it out, unless a missing value is informative.",
        "stray_words": "Correct them at the source if they are typing errors.",
        "dates": ("To predict the future, set it as the time column on the page Goal (expert options)."),
        "number_format": "Check a value above. If it is read incorrectly, correct its kind.",
        "mixed_units": "Convert all values to one unit, or correct its kind.",
        "outliers": "Check these rows. Leave them out if they are typing errors.",
        "doubtful_class": ("If it means that the outcome is not known, remove these rows from the file."),
        "marked_numbers": ("No action needed, unless the marks matter: then set the kind to category."),
        "codes": "If it is a number, correct its kind.",
        "multipliers": "If these are codes, set the kind to category.",
        "padded_numbers": "If these are codes, set the kind to category.",
        "unusable": "Convert it to numbers or text to use it.",
    }
)
NEXT = "Continue to Goal"
NEXT_FIRST = "Pick the column to predict first."
