"""Projects as their members meet them: settings, members, keys, and the people whom they serve."""
