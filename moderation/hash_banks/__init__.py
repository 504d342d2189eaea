"""Banks of known bad pictures, which seniors keep and `screening` asks (`near`, `record`)."""
