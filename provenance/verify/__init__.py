"""Five verdicts on a file that a stranger sends, for the verify page, its API and the command.

Others call `examination.check`, `sightings` for the word of whoever sent a file, and
`submitted_files` to read one within bounds.
"""
