"""What every call of the API has in common: views, bodies, pages, limits, problems."""
