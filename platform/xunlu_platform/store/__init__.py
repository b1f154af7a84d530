"""The only user of psycopg; SQL lives in `sql/`."""
