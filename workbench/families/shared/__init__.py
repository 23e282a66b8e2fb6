"""What several families share: boosting and early stopping, search spaces, dense columns, forests."""
