"""Refusals and holds for people without an account: `addresses` makes the address of one, `notices`
says what its page shows, `refusal_card.draw` makes a picture of it; pages and API under them.
"""
