"""Experiments after the training: ended, verified, rescued, given up."""
