"""The bytes of entries, trees, checkpoints, proofs and timestamps, by their papers. Pure."""
