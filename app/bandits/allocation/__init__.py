"""From daily totals to rounded shares: effective totals, floors, gates' arithmetic; no policy of its own."""
