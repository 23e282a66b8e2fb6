"""Whether a bundle is what it claims: its files, its predictions, its signature, and that it runs on its own."""
