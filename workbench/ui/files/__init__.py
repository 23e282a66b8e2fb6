"""The folders that the app works in, uploads, and downloads from places that its operator allows."""
