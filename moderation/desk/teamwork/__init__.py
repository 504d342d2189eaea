"""Reviewers among themselves: notes, whose a case is, who looks at it."""
