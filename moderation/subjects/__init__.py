"""What is judged and what can be done with it: kinds, actions and their words, and the registers
by which other rooms say what can be reported or withdrawn. Everybody may read them.
"""
