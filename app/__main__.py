"""`python -m app`: the `groundhog` command inside the tree."""

from app.cli import main

if __name__ == "__main__":  # worker processes import this module again
    main()
