"""Lexicons that ship, a folder each, and what an entry of one is."""
