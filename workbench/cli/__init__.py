"""The command line: one file a verb, each as thin as its library function allows.

A verb's file says which options it takes and how its result is shown to a person; what it does is a function
of `workbench.api` or of the runtime, so that every command can also be called from Python.
"""

from .entry import main

__all__ = ["main"]
