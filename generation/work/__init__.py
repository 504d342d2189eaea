"""A claimed request carried to a published image, and what a dead worker left behind.

Doors, for tasks alone: `worker.work_one` (loads torch), `sweeper.sweep`.
"""
