"""The worker processes as the coordinator sees them: started, given tasks, and killed where they exceed a limit."""
