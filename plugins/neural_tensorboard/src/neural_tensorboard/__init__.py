"""Mirrors neural experiments into TensorBoard event files.

This version holds the place and mirrors nothing; its README says so.
"""
