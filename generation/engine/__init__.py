"""Denoises and decodes. Knows no Django; `generation.engine.pipeline` alone loads torch."""
