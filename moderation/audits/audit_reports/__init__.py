"""Reports of what is stored: assembled, frozen and logged (`freeze`), decided on, and read."""
