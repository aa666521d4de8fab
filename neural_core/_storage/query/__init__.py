"""The filter and order language of lists."""
