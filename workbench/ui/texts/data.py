"""The page where a table is brought and understood."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "Bring a table with one row for each case, and a column that says how it turned out."
SOURCE = "Where the table comes from"
UPLOAD, PICK, SAMPLE, BRING = "Upload a file", "A table on the server", "A sample", "A path or an address"
UPLOAD_LABEL = "Table"
UPLOAD_HELP = (
    "CSV, TSV, Excel, Parquet, JSON and other tables, also packed; at most {limit} MB. It stays "
    "yours alone until you start a search with it."
)
ENCODING_TITLE = "Are letters wrong?"
ENCODING = "Encoding of the file"
ENCODING_HELP = "How the file's bytes stand for letters. The search and the bundle read files the same way."
ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "": "Found out from the file",
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
PICK_NONE = "There is no table in {folder} yet. Whoever runs the app can put some there."
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
BRING_HELP = "It is copied for you alone, as an upload is; at most {limit} MB. Allowed: {places}."
BRING_BUTTON = "Bring it"
BRINGING = "Bringing the table …"
NOTHING = "Choose a table to go on."
READING = "Reading the table …"
ROWS, COLUMNS, MISSING, WARNINGS = "Rows", "Columns", "Cells missing", "To know"
TARGET = "What should the model predict?"
TARGET_HELP = (
    "The column that says how a case turned out. The model learns to say it for cases that are not known yet."
)
TARGET_PROMPT = "Pick the column to predict"
TARGET_CLASSES = "**{target}** is {task}: {shares}."
TARGET_NUMBER = "**{target}** is a number from {low} to {high}; half of the rows lie below {median}."
TARGET_WITHOUT = " {count} rows have no value there and are left out."
PREVIEW = "First rows"
COLUMNS_TITLE = "Columns"
COLUMNS_HELP = "Select rows to leave them out. Click a heading to sort."
COLUMN_LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "name": ("column", "Its name in the file."),
        "kind": ("kind", "How its values are read."),
        "role": ("part", "What it is used for."),
        "missing": ("missing", "Share of rows without a value."),
        "distinct": ("distinct", "Different values."),
        "values": ("values", "The range, or the most frequent values."),
    }
)
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "input": "used",
        "target": "to predict",
        "identifier": "left out: an identifier",
        "constant": "left out: always the same",
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
LEFT_OUT_HELP = "The model never sees these. Take one out of this list to use it again."
LOOK_AT = "Look at a column"
LOOK_MISSING = "{count} of {rows} rows have no value here."
KIND_TITLE = "Read a column as another kind"
KIND_INTRO = (
    "A postcode is not a number, though it looks like one. What you set here is kept in the run: "
    "the model reads new rows in the same way. Your file stays as it is."
)
KINDS_TO_SAY: Mapping[str, str] = MappingProxyType(
    {"number": "number", "category": "category", "text": "free text", "date": "date"}
)
KIND_COLUMN, KIND_AS, KIND_APPLY = "Column", "Read it as", "Apply"
KIND_DONE = "Corrected: {list}"
FINDINGS = "What to know before a search"
FINDINGS_NONE = "Nothing stands out: no identifiers, leaks, repeated rows or rare classes were found."
FINDINGS_FIRST = "Pick the column to predict to look for leaks and rare classes too."
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "identifier": "It names the row and says nothing about new ones. Nothing to do.",
        "index_column": "It numbers the rows. Nothing to do.",
        "constant": "It never changes, so nothing can be learned from it. Nothing to do.",
        "all_missing": "There is nothing in it. Nothing to do.",
        "leak": (
            "It may be known only afterwards. If so, leave it out: the score would be too good to be true."
        ),
        "strong_column": "Ask whether it is known when the model is asked. If not, leave it out.",
        "one_target_an_id": "Name this column as “rows that belong together” on the page Goal.",
        "copies_but_one": ("Name what the copies share as “rows that belong together” on the page Goal."),
        "duplicate_rows": (
            "Remove the copies, or name what they share as “rows that belong together” on the page Goal."
        ),
        "duplicate_columns": ("One of them is enough; leaving the others out makes the model faster."),
        "rare_class": "There is little to learn this class from. More rows of it help most.",
        "imbalance": ("Look at the money on the page Choose rather than at the share of right answers."),
        "ambiguous_dates": "Write dates as 2024-12-31 to be sure.",
        "odd_dates": "Correct them at the source if they are typing errors.",
        "missing_code": "If it stands for a missing value, leave it empty in the file instead.",
        "zero_values": ("If there is no such thing as a zero here, leave those cells empty in the file."),
        "mostly_missing": "Leave it out, unless being missing says something.",
        "stray_words": "Correct them at the source if they are typing errors.",
        "dates": ("To predict the future, name it as the time column on the page Goal (expert options)."),
        "number_format": "Check one value above. If it is read wrongly, correct its kind.",
        "mixed_units": "Write all of them in one unit, or correct its kind.",
        "outliers": "Look at those rows. Leave them out if they are typing errors.",
        "doubtful_class": ("If it says that the outcome is not known, remove those rows from the file."),
        "marked_numbers": ("Nothing to do, unless the marks matter: then read the column as a category."),
        "codes": "If it is a number, correct its kind.",
        "multipliers": "If these are codes, read the column as a category.",
        "padded_numbers": "If these are codes, read the column as a category.",
        "unusable": "Turn it into numbers or texts to use it.",
    }
)
NEXT = "Go on: what matters"
NEXT_FIRST = "Pick the column to predict first."
