"""``python -m send_analysis`` is the command line."""

from send_analysis.cli import main

if __name__ == "__main__":
    main()
