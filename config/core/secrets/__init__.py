"""Secrets that the house must know again."""
