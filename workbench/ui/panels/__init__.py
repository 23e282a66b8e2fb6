"""Parts of pages, each a function that renders one thing."""
