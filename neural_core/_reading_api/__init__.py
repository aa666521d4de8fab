"""What `neural_core.reading` is made of: lists, curves, files and edits of one base folder."""
