"""Mail of a house on one host: kept in a folder and shown on a page."""
