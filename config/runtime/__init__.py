"""What every process has: the lines of its log, its metrics, its cache, its models."""
