"""Searches and exports that the app starts, each a process of its own, and how far they are."""
