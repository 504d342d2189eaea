"""Stock schedulers stepped for a batch whose rows stand at different steps; for the loop alone."""
