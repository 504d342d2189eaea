"""The waiting line, kept in the database: whose turn it is, and where each one stands.

Doors: `tickets` for whoever lets a request wait, `claims` for whoever works, `place_in_line` and
`waiting_reasons` for whoever asks.
"""
