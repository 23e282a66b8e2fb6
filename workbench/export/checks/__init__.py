"""Checks of a bundle: its files, predictions and signature, and that it runs on its own."""
