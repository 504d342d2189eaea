"""Appeals against decisions: `hearing` lodges, withdraws and concludes them; pages and API."""
