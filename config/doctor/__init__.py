"""What is wrong with a house, told to its operator. Doors: `examination`."""
