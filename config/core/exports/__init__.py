"""What every export shares: the command that asks for one, and the checksums that go with it."""
