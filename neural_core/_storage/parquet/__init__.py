"""The Parquet that finished parts are written in: no more of the format than that needs."""
