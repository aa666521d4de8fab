"""Compares neural experiments in the browser.

This version holds the place and has no pages; its README says so.
"""
