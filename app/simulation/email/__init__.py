"""The e-mail world: which subject line converts best."""
