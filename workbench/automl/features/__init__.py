"""What an encoder learns from training rows: target statistics, words of texts, pairs of columns that interact."""
