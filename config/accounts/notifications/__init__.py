"""The page of what concerns a person, and up to when they have read it."""
