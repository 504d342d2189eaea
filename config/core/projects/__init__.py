"""On whose behalf something is done: organisations, their projects, members and end users.

Personal use is a project too, so that there is one way. Knows no room: every room may import it.
"""
