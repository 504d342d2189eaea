"""In the way of the package of this name, which tools of the tests bring and no house has.

jsonschema goes without it where it is missing. Its import alone compiles a grammar for more than a
second, which every process that a test starts would spend.
"""

raise ImportError("no house has it")
