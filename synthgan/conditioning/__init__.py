"""Which columns are given, and what values they may take."""
