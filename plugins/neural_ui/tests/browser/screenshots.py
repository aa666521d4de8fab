"""Take the pictures of docs/ui.md again: ``python plugins/neural_ui/tests/browser/screenshots.py``.

With a folder as argument it takes more of them, for a person to look at before a release.
"""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from long_runs import make_long_run
from page import UiPage
from PIL import Image
from playwright.sync_api import sync_playwright
from server import Server

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "images"
COLOURS = 256
MOST_BYTES = 150_000
PICTURES = {
    "ui-metrics-light": ("?tab=metrics&smooth=20", "light", 1440, 900),
    "ui-metrics-dark": ("?tab=metrics&smooth=20", "dark", 1440, 900),
    "ui-hyperparameters": ("?tab=hyperparameters", "light", 1440, 900),
    "ui-best": ("?tab=best", "light", 1440, 900),
    "ui-table": ("?table=1&rows=param:optimizer.name&order=-best:val%252Faccuracy", "light", 1440, 900),
    "ui-group": ("?tab=metrics&group=param:optimizer.name&smooth=10", "light", 1440, 900),
}
FURTHER = {
    "ui-summary": ("?tab=summary", "light", 1440, 900),
    "ui-timeline": ("?tab=panel-timeline", "light", 1440, 900),
    "ui-narrow": ("?tab=metrics", "dark", 1024, 768),
}


def make_store(base: Path, runs: int = 12, points: int = 20_000) -> None:
    """Make runs of an image classifier that differ as real ones do."""
    models = ("resnet50", "vit-b16", "convnext-t", "effnet-b2")
    optimizers = ("adamw", "sgd", "lion")
    at = np.arange(points) / points
    for number in range(runs):
        noise = np.random.default_rng(number).standard_normal((4, points))
        skill = 0.04 * (number % 4) + 0.02 * (number // 4)
        speed = 4 + number % 3
        loss = 0.25 + 0.4 * skill + 2 * np.exp(-speed * at) + 0.04 * noise[0] * (0.3 + np.exp(-3 * at))
        accuracy = 0.94 - skill - 0.85 * np.exp(-1.2 * speed * at)
        lr = (1e-3, 5e-4, 3e-4)[number % 3]
        make_long_run(
            base,
            f"{models[number % 4]}-{optimizers[number // 4]}",
            {
                "train/loss": loss,
                "val/loss": loss + 0.08 + 0.1 * at * (number % 3) + 0.015 * noise[1],
                "train/accuracy": np.clip(accuracy + 0.012 * noise[2], 0, 1),
                "val/accuracy": np.clip(accuracy - 0.02 + 0.008 * noise[3], 0, 1),
                "lr": lr * np.minimum(1, at * 20) * (0.5 + 0.5 * np.cos(math.pi * at)),
                "grad_norm": 1 + 4 * np.exp(-8 * at) + 0.2 * np.abs(noise[1]),
            },
            start=1_790_000_000.0 + 1_500 * number,
            hyperparameters={
                "model": {"name": models[number % 4], "dropout": 0.1 * (number % 3), "depth": 50},
                "optimizer": {"name": optimizers[number // 4], "lr": lr, "weight_decay": 0.05},
                "batch_size": 128 * (1 + number % 2),
                "epochs": 30,
                "seed": number,
            },
            tags={"paper": "", "team": "vision"} if number % 3 == 0 else {"team": "vision"},
        )


def reduce(path: Path) -> None:
    """Make a picture small: half the size, few colours."""
    picture = Image.open(path).convert("RGB")
    picture = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3), Image.Resampling.LANCZOS)
    picture.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size <= MOST_BYTES, f"{path.name} has {path.stat().st_size:,} bytes"


def main(folder: Path, pictures: dict[str, tuple[str, str, int, int]]) -> None:
    """Take pictures: name → query, theme, width, height."""
    folder.mkdir(parents=True, exist_ok=True)
    base = Path(tempfile.mkdtemp()) / "experiments"
    make_store(base)
    server = Server(base)
    chromium = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, (query, theme, width, height) in pictures.items():
            ui = UiPage(browser, server.url, theme=theme, width=width, height=height)
            ui.open(query)
            ui.page.wait_for_load_state("networkidle")
            ui.page.wait_for_timeout(1_500)
            ui.page.screenshot(path=folder / f"{name}.png")
            assert not ui.problems, ui.problems
            ui.leave()
            reduce(folder / f"{name}.png")
        browser.close()
    server.close()
    shutil.rmtree(base.parent)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), PICTURES | FURTHER)
    else:
        main(FOLDER, PICTURES)
