"""A statement in the fields of the EU Transparency Database: no database, no Django."""
