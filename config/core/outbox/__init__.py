"""What must not be lost is written beside what it tells of, in one transaction, and done afterwards
as often as it takes: at least once, in no promised order.
"""
