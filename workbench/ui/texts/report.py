"""The page that offers the report."""

from __future__ import annotations

INTRO = (
    "One file with everything that matters about a run: for those who will never open this app. It "
    "opens in any browser, needs no network, and prints well."
)
ABOUT = "Reports **{name}** of {run} as the choice."
MAKE = "Make the report"
MAKING = "Computing importance, segments and curves …"
READY = "The report is ready: {size}."
DOWNLOAD = "Download the report"
PRINT = "For a PDF, open it and print it to a file."
COMMAND = "The same on a command line"
PREVIEW = "What is in it"
CONTENTS = (
    "the choice and its neighbours, in sentences",
    "the front, as a chart and a table",
    "how good the choice is: curves or errors, with what mistakes cost",
    "what drives it and where it fails",
    "what failed in the search, and why",
    "data, settings, machine and versions, so that it can be repeated",
)
