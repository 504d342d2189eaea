"""The live page, whose picture follows the typing and is never stored.

The worker calls `drawing`; the rest is the page.
"""
