"""The small text-to-image model that ships with Proofsheet, and how it is trained."""
