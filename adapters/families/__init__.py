"""The layers of the five families as data, so that a file is judged without any weights."""
