"""The images of a release and what starts them: Containerfile, compose.yaml, the chart."""
