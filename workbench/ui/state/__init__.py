"""State between pages and reloads: selection, drafts, roles, cached reads of runs."""
