"""The second factor that every role of the house needs.

Door: `requirement` (is_needed, is_proved); the rest is named by the settings.
"""
