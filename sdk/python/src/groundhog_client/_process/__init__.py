"""What must happen when the process forks or ends; nothing here knows requests or events."""
