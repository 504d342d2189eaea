"""The catalogue's pages and the adapters' API; nothing but the addresses calls it."""
