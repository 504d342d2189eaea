"""What an uploaded file is judged by, number by number. Pure.

Doors: `inspection.inspect` gives the report, `rewrite.write` the canonical file.
"""
