"""Deliveries from the event that they tell of to the log: written, sent, judged, forgotten."""
