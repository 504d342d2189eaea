"""What a request will cost, how long it waits, and what the house can carry.

Doors: `estimates` (cost_ms, speed_of), `current_load.look`, and `line_metrics` and
`project_metrics` (families).
"""
