"""Strings of the page Report."""

from __future__ import annotations

INTRO = (
    "One file with the results of a run, for readers without access to this app. It opens in any "
    "browser without a network, and can be printed."
)
ABOUT = "The report presents **{name}** of {run} as the choice."
MAKE = "Create the report"
MAKING = "Computing importance, segments and curves …"
READY = "The report is ready: {size}."
DOWNLOAD = "Download the report"
PRINT = "For a PDF, open the report and print it to a file."
COMMAND = "The same on a command line"
PREVIEW = "Contents"
CONTENTS = (
    "the choice and its alternatives",
    "the front as a chart and a table",
    "the quality of the choice: curves or errors, and the cost of mistakes",
    "column importance and weak segments",
    "stopped and failed candidates, with reasons",
    "data, settings, machine and versions, to reproduce the run",
)
