"""The records of a search: settings, candidates, messages, the run folder, the journal."""
