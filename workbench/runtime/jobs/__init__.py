"""The ways to run a bundle that are not a server: a batch job, a stream's consumer, and the file that chooses one."""
