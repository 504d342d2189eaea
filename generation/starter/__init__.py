"""The small text-to-image model that ships with Proofsheet, and how it is trained.

Door: `layout`, where its files lie. The application imports nothing else from here.
"""
