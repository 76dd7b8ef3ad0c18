"""``python -m faultmaven``: the ``faultmaven`` command."""

from faultmaven.cli.main import main

if __name__ == "__main__":
    main()
