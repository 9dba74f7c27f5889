"""`python -m accuracy.start`: what `make accuracy` runs.

Imports nothing before it is asked to run: worker processes import this module too, and DuckDB,
imported from there, would take them for an interactive session that wants progress bars.
"""

if __name__ == "__main__":
    from accuracy.command import main

    main()
