"""Mirrors neural experiments into MLflow.

This version holds the place and mirrors nothing; its README says so.
"""
