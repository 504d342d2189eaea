"""What a request will cost, how long it waits, and what the house can carry.

Doors: `estimates` (cost_ms, speed_of), `current_load.look`, `line_metrics.register`.
"""
