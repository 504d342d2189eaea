"""What has to be kept for a court or an authority, whatever else says that it goes.

Doors: `asking`.
"""
