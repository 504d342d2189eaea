"""Denoises and decodes, many images in one batch. Knows no Django.

Doors: `jobs`, which needs no torch, `loop.engine.Engine`, `loading.memory_need`.
"""
