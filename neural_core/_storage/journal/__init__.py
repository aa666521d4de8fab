"""One part of a journal: its bytes, frames and files, live or compacted."""
