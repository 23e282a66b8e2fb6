"""The folders of the app, uploads, and downloads from allowed sources."""
