"""A worker process: fitting, assembling, parity checks, scoring and measuring of candidates."""
