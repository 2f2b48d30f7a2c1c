"""JupyterLab for real: the inspector live, faces reopened untrusted, themes, nothing outside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ctxlab.bench.inspecting import inspect
from ctxlab.testing import sample_case, sample_results

pytestmark = pytest.mark.slow
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
LIVE = [
    "import ctxlab\nfrom ctxlab.testing import sample_case\n"
    "widget = ctxlab.inspect(sample_case(), ['KeepLast()', 'BM25()'], ['30%', '50%', '70%'])"
    ".widget()\nwidget",
    "print('now', widget.budget, widget.selected, widget.probe)",
]


@contextmanager
def server(folder: Path, home: Path, theme: str) -> Iterator[str]:
    """Run a JupyterLab of its own, with a theme, on a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / "labconfig").mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (home / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    chosen = home / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    chosen.mkdir(parents=True)
    (chosen / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}))
    env = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "run"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(200):
                try:
                    urllib.request.urlopen(f"{url}/api", timeout=1)
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module", params=["JupyterLab Light", "JupyterLab Dark"])
def lab(request, browser_path, tmp_path_factory):
    """Open JupyterLab with three notebooks in a browser that may leave the machine nowhere."""
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("lab")
    live = new_notebook(metadata=KERNEL, cells=[new_code_cell(source) for source in LIVE])
    nbformat.write(live, folder / "live.ipynb")
    nbformat.write(reopened(), folder / "reopened.ipynb")
    home = tmp_path_factory.mktemp("home")
    with server(folder, home, request.param) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1300, "height": 1000})
        tab.url_, tab.dark, tab.outside = url, "Dark" in request.param, []

        def only_here(route):
            if route.request.url.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
                route.continue_()
            else:
                tab.outside.append(route.request.url)
                route.abort()

        tab.route("**/*", only_here)
        yield tab
        browser.close()


def reopened():
    """Return a notebook as somebody else saved it: an inspector, a ledger, results."""
    from ctxlab import KeepLast, explain

    inspection = inspect(sample_case(), ["KeepLast()", "BM25()"], ["30%", "50%", "70%"])
    cells = [new_code_cell("widget")]
    bundle = inspection._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    kept = {name: data[name] for name in data if name != "application/vnd.jupyter.widget-view+json"}
    cells[0].outputs = [new_output("execute_result", kept, execution_count=1)]
    for value in (explain(KeepLast(), sample_case(), "50%"), sample_results()):
        cell = new_code_cell(type(value).__name__)
        html = {"text/html": value._repr_html_(), "text/plain": repr(value)}
        cell.outputs = [new_output("execute_result", html, execution_count=1)]
        cells.append(cell)
    return new_notebook(metadata=KERNEL, cells=cells)


def contrast(one, other):
    """Return the WCAG contrast of two colours as the browser writes them."""

    def light(color):
        parts = [float(x) / 255 for x in color[color.index("(") + 1 : -1].split(",")[:3]]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_inspector_is_live_and_in_step_with_python(lab):
    """Keys and the mouse move it; what is chosen stands in Python; it asks for nothing outside."""
    lab.goto(f"{lab.url_}/lab/tree/live.ipynb")
    lab.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    lab.locator(".jp-StatusBar-Item", has_text="| Idle").wait_for(timeout=60_000)
    lab.locator(".jp-Notebook .jp-CodeCell").first.click()
    lab.keyboard.press("Shift+Enter")
    box = lab.locator(".ctx-inspector")
    box.locator(".row").first.wait_for(timeout=60_000)
    assert box.locator(".bar output").first.inner_text() == "50%"
    box.locator(".probes button").nth(1).click()
    assert "Ilse has it" in box.locator(".row.on").inner_text()
    assert "gold" in box.locator(".row.on").get_attribute("class")
    box.focus()
    lab.keyboard.press("]")
    assert box.locator(".bar output").first.inner_text() == "70%"
    lab.keyboard.press("j")
    assert "It rains again" in box.locator(".row.on").inner_text()
    box.locator("input[type=search]").fill("loaves")
    assert "2 found" in box.locator(".bar").inner_text()
    assert box.locator("mark").count() >= 2
    ground = box.evaluate("e => getComputedStyle(e).backgroundColor")
    ink = box.evaluate("e => getComputedStyle(e).color")
    assert contrast(ground, ink) > 7
    lab.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".jp-Editor").click()
    lab.keyboard.press("Shift+Enter")
    told = lab.locator(".jp-OutputArea-output", has_text="now 70%")
    told.wait_for(timeout=20_000)
    assert "now 70% m6 p1" in told.inner_text()
    assert lab.outside == []


def test_reopened_untrusted_it_is_all_there(lab):
    """Without a kernel and without trust, tables, colours and folds stand, in the theme."""
    lab.goto(f"{lab.url_}/lab/tree/reopened.ipynb")
    lab.wait_for_selector(".jp-RenderedHTMLCommon table", timeout=60_000)
    lab.locator("summary", has_text="what became of the evidence").first.wait_for()
    text = " ".join(lab.locator(".jp-RenderedHTMLCommon").all_inner_texts())
    for words in ("2 strategies at 3 budgets", "7 dropped", "Budget 40%", "not decisive"):
        assert words in text
    ground = lab.evaluate(
        "getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim()"
    )
    assert (ground in ("white", "#fff", "#ffffff")) is not lab.dark
    page = "rgb(17, 17, 17)" if lab.dark else "rgb(255, 255, 255)"
    for color in lab.locator(".jp-RenderedHTMLCommon b, .jp-RenderedHTMLCommon td").evaluate_all(
        "all => all.map(e => getComputedStyle(e).color)"
    ):
        assert contrast(color, page) > 3.5
    assert lab.evaluate("document.querySelectorAll('mjx-container').length") == 0
    assert lab.outside == []
