"""What the app remembers between pages and reloads: the selection, drafts, who may do what, cached reads of runs."""
