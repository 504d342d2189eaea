"""Webhooks: what a project's own programs are told of, and how surely.

Deliveries are written in the transaction of what they tell of, and sent by a process of their own.
"""
