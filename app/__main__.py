"""`python -m app`: the `groundhog` command inside the tree."""

if __name__ == "__main__":  # worker processes import this module again, and need no commands
    from app.cli.main import main

    main()
