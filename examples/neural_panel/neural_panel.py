"""A tab of the comparison page: how far training and validation loss are apart, over the steps."""

from neural_ui.panels import colour_of, dash_of, literal


class Gap:
    """Draws ``val/loss`` minus ``train/loss`` of each selected experiment."""

    title = "Gap"

    def figure(self, experiments, series):
        """Subtract curves that share their buckets; an experiment without both has no line."""
        curves = zip(experiments, series("train/loss").curves, series("val/loss").curves, strict=True)
        lines = [
            {
                "x": train.x,
                "y": val.mean - train.mean,
                "name": literal(run.row.name),
                "line": {"color": colour_of(run), "dash": dash_of(run)},
            }
            for run, train, val in curves
            if len(train.x) == len(val.x) > 0
        ]
        return {"data": lines, "layout": {"yaxis": {"title": {"text": "val/loss - train/loss"}}}}
