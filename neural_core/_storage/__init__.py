"""Private: files and bytes. Knows no hooks, no threads of delivery, no plots."""
