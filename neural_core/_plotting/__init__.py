"""Private: figures. Reads only series and records; matplotlib without pyplot."""
