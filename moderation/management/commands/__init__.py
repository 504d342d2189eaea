"""Commands of `manage.py`: exports and the transparency report, trial
screenings, a classifier's digest, the erasing of words.
"""
