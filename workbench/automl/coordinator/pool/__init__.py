"""The worker processes: started by a fork server, given tasks, killed above a limit."""
