"""The coordinating process: what it knows of the run under way, and which config is tried next. It trains nothing."""
