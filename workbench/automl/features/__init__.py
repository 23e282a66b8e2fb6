"""Learning an encoder from training rows: target encoding, vocabularies, interactions."""
