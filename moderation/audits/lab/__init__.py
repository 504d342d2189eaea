"""The threshold lab: stored scores against another threshold. Loads statistics packages."""
