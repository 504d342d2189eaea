"""Reports as values: their tables, findings, figures and files. No database."""
