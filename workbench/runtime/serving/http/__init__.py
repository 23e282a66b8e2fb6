"""The HTTP server: an ASGI application, its processes, its limits and its shutdown."""
