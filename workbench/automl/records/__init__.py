"""What a search writes and its processes exchange: settings, candidates, messages, the run folder, the journal."""
