"""Brings the executed notebooks into the site, from the one place where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files


@event_priority(100)  # before the plugin that turns notebooks into pages
def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401 - mkdocs's own
    """Add every notebook as a page."""
    root = Path(config["config_file_path"]).parent
    for path in sorted((root / "notebooks").glob("0*.ipynb")):
        name, site = f"notebooks/{path.name}", config["site_dir"]
        files.append(File(name, str(root), site, config["use_directory_urls"]))
    return files
