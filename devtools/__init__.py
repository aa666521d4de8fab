"""What dev.py is made of: it runs with nothing but Python, before anything is installed."""
