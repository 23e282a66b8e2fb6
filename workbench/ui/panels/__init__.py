"""Parts of pages, one function each."""
