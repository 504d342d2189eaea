"""Counterfactual suites, a YAML file each: read, counted out into prompts, hashed. No database."""
