"""Programs that train, teach and export the starter and its style adapters; run by hand."""
