"""Sheets of an officer's day and a squad's week: numbers from the same look back that `/review` shows."""
