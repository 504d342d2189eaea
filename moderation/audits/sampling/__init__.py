"""The frame that every screening enters, blind labels of what was drawn, and the population that
reports read.
"""
