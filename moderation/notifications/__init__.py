"""Mails about decisions, appeals and reports; the tasks alone call them."""
