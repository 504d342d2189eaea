"""What tells a person in the house that something was decided or is ready. A room registers its
sources when Django starts; doors: `feed` (Notification, NewsSource, register, newest, unread)."""
