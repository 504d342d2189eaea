"""Denoises and decodes, many images in one batch. Knows no Django; `jobs` needs no torch."""
