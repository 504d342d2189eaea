"""Files of a period for compliance: statements, decisions, the transparency report."""
