"""An adapter on its way to the public: example pictures, review, what was decided.

Doors: `review_request` (ask, unpublish, open_review) and `examples` (hand_in, waiting_of).
"""
