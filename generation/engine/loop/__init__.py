"""Orders in, pictures out: prepared, denoised step by step together, decoded.

Door: `engine.Engine` (load, submit).
"""
