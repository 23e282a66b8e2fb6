"""The HTTP server: an ASGI application without a framework, its processes, its limits and how it stops."""
