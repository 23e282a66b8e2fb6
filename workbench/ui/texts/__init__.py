"""All strings of the app: one file per page, and `general` for shared strings."""
