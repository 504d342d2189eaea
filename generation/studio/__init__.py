"""Requests as their owners compose, watch and cancel them: pages, API, stream of events.

Doors: `own_requests`, `results.wait_for`, and for the live page `studio_forms` and
`stream_limits`.
"""
