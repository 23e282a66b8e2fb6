"""What HTTP, a stream and a batch job share: from rows to predictions, readiness, counters and the request log."""
