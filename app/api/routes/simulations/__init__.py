"""Starting, following and exporting simulations over HTTP."""
