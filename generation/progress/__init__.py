"""What can be seen of a request while it runs: its stage and previews for its owner, marked partial
pictures for a program, and the call that there is something new. Kept in the cache for minutes.
"""
