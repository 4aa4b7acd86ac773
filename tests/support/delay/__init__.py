"""Campaigns whose conversions come late, played through a service, and ways to send what is known of them."""
