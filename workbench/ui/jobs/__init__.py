"""Searches and exports in separate processes, with their progress."""
