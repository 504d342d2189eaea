"""Statements of reasons (DSA Art. 17): `issuing` writes, finds and words them; pages and API."""
