"""Made-up worlds in which the service's own policies play, and replay of what really happened."""
