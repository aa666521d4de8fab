"""Mirrors neural experiments into Weights & Biases.

This version holds the place and mirrors nothing; its README says so.
"""
