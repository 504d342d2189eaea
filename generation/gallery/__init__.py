"""Images as their owners find them: list, look at, make again, download, delete.

Doors: `own_images`, `image_cards` and `refusals.refusals_of`; pages and API are named by the
addresses.
"""
