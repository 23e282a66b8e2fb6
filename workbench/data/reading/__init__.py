"""A file or frame becomes a table of raw columns: its encoding, its delimiter, its header, its Arrow types."""
