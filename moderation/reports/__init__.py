"""Reports of public pictures by people (DSA Art. 16): `reporting` takes them, `report_status` says
what became of one.
"""
