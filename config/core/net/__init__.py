"""Calls to other hosts, bounded: `safe_fetch` for addresses that people type in."""
