"""One experiment as it is read: state, documents, rows in order, a line for lists."""
