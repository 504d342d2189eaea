"""Prompts and pictures in, a verdict and a stored screening out. `classify` is the door."""
