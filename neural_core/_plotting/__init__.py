"""Private: figures. Reads only series and records; matplotlib without pyplot, its global settings left alone.

`visualizer` draws one experiment, `comparison` several, `report` writes a comparison into a folder, `render` makes PNG.
"""
