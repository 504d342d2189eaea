"""The one decoder of a stranger's picture: bounded, and in a process of its own where it is dear.

Others call `decoder.read` and `read_whole` and catch `refusals.PictureUnreadable`. Pure.
"""
