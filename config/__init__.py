"""The house: settings, addresses, accounts, how it starts, and the ground floor of all rooms."""
