"""The command line: one module per verb.

A verb's module defines its options and prints its result. The work is a function of `workbench.api`
or of the runtime, so that every command can also be called from Python.
"""

from .entry import main

__all__ = ["main"]
