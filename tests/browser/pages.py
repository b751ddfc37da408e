"""Reads the report and the live page as a person with a browser does: figures, data, pointer, keyboard, light, dark, phone and paper.

    python3 pages.py ISOBATH OUT

Runs small studies in OUT and keeps pictures of their pages there. No check depends on the speed of the machine.
"""

import csv
import io
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from browser import PATIENCE, Browser, wait

HERE = pathlib.Path(__file__).parent
FIGURES = {
    "figures": [
        "‖δ‖ in each hidden layer before the first step", "Accuracy on the test samples", "Layer by layer",
        "‖δ‖ over layers and training", "What training did", "What the units do", "PReLU's slope over training",
        "What was held back", "Signals and gradients, unit by unit", "Singular values of the Jacobian",
        "Back through time", "Price and noise of a step", "Activations and their slopes", "Phase diagrams",
    ],
    "sweep": ["Test accuracy against depth", "Over the depth", "Layer by layer", "‖δ‖ over layers and training"],
    "speed": ["Speed of learning over training", "Layer by layer", "‖δ‖ over layers and training"],
}
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED {what}", file=sys.stderr)


def expected_rows(summary):
    """How many records each file has, from the summary alone; those of other files are not known here."""
    rows = {}
    for group in summary["groups"]:
        steps = sum(len(row["course"]["steps"]) for row in group["rows"])
        layers = sum(len(row["layers"]) for row in group["rows"])
        name = group["name"]
        rows |= {f"{name}-accuracy.csv": len(group["rows"]), f"{name}-layers.csv": layers, f"{name}-units.csv": layers,
                 f"{name}-course.csv": steps, f"{name}-log10-delta.csv": steps, f"{name}-speed.csv": steps,
                 f"{name}-prelu.csv": sum(len(row["course"]["prelu"]) for row in group["rows"])}
        values = [len(spectrum["log10"]) for row in group["rows"] for spectrum in row["spectra"] if spectrum]
        counts = [figure["counts"] for row in group["rows"] for moment in row.get("histograms", []) for layer in moment
                for figure in (layer["signal"], layer["log10_delta"]) if figure]
        rows |= {f"{name}-spectra.csv": sum(values), f"{name}-histograms.csv": len(counts)}
        in_time = [layer["through_time"] for row in group["rows"] for layer in row["layers"][-1:] if "through_time" in layer]
        rows[f"{name}-time.csv"] = sum(len(start) for start, _ in in_time)
    return rows


def check_figures(browser, name, summary):
    figures = browser.look("figures()")
    titles = [figure["title"] for figure in figures]
    for title in FIGURES[name]:
        check(title in titles, f"{name}: no figure '{title}'")
    known, met = expected_rows(summary), 0
    for figure in figures:
        of = f'{name}: {figure["title"]}'
        check(len(figure["caption"]) > 30, f"{of}: no caption")
        check(figure["svgs"] > 0 and not figure["empty"] or figure["title"].startswith("Price"), f'{of}: no data in {figure["empty"]}')
        check(figure["unnamed"] == 0, f"{of}: a picture without a name for those who cannot see it")
        check(figure["saved"], f"{of}: data without a button to save them")
        check(figure["files"] or figure["title"] == "What was held back", f"{of}: no data")
        for file in figure["files"]:
            records = list(csv.reader(io.StringIO(file["text"])))
            widths = {len(record) for record in records}
            check(len(records) > 1 and len(widths) == 1, f'{of}: {file["name"]} is no table: {widths}')
            if file["name"] in known:
                met += 1
                check(len(records) - 1 == known[file["name"]],
                      f'{of}: {file["name"]} has {len(records) - 1} records, not {known[file["name"]]}')
    check(met > 3, f"{name}: hardly any file is known")


def check_pointer(browser, name):
    """Every chart tells a figure where its data are."""
    for index, title in enumerate(browser.js("[...document.querySelectorAll('figure h3')].map((h) => h.textContent)")):
        for place in range(browser.look(f"charts({index})")):
            target = browser.look(f"target({index}, {place})")
            # What is told goes when the page scrolls, which it is told of with the next picture.
            browser.drawn()
            browser.point(1, 1)
            browser.point(target["x"], target["y"])
            told = browser.js("document.querySelector('.tip').hidden ? '' : document.querySelector('.tip').textContent")
            check(re.search(r"\d", told) or not target["exact"] and told,
                  f"{name}: {title}, chart {place}: the pointer finds nothing ({told!r})")


def check_slider(browser, name):
    """The arrow keys move every slider, and with it the lines and the mark in the maps."""
    sliders = browser.js("document.querySelectorAll('input[type=range]').length")
    check(sliders > 0, f"{name}: no slider")
    for i in range(sliders):
        state = f"""(() => {{ const part = document.querySelectorAll('.at-step')[{i}];
            return part.querySelector('output').textContent + [...part.querySelectorAll('polyline')].map((l) => l.getAttribute('points'))
              + [...part.closest('figure').querySelectorAll('.now')].map((n) => n.getAttribute('x')); }})()"""
        browser.js(f"document.querySelectorAll('input[type=range]')[{i}].focus()")
        browser.key("Home", 36)
        before = browser.js(state)
        browser.key("ArrowRight", 39)
        check(browser.js(state) != before, f"{name}: the slider {i} changes nothing")
        browser.key("ArrowLeft", 37)
        check(browser.js(state) == before, f"{name}: the slider {i} does not come back")


def check_keyboard(browser, name):
    """Tab reaches all that a pointer can use, and shows where it is."""
    left = set(browser.look("reachable()"))
    browser.js("(document.activeElement.blur(), scrollTo(0, 0))")
    for _ in range(len(left) + 5):
        browser.key("Tab", 9)
        left.discard(browser.look("focused()"))
        if not left:
            break
    check(not left, f"{name}: Tab does not reach {len(left)} parts")
    check(browser.look("outline()") != "none", f"{name}: the focus is not seen")


def check_structure(browser, name):
    check(browser.js("document.documentElement.lang") == "en", f"{name}: no language")
    levels = browser.look("headings()")
    check(levels.count(1) == 1 and levels[0] == 1, f"{name}: headings {levels[:5]}")
    check(all(b <= a + 1 for a, b in zip(levels, levels[1:])), f"{name}: headings skip a level")


def check_looks(browser, name):
    """Light, dark, phone and paper; keeps a picture of each."""
    for scheme in ["light", "dark"]:
        browser.media(scheme)
        check(not browser.look("faint()"), f'{name}, {scheme}: faint text {browser.look("faint()")}')
        check(not browser.look("pale()"), f'{name}, {scheme}: pale lines {browser.look("pale()")}')
        browser.picture(f"{name}-{scheme}")
    check(not browser.look("crowded()"), f'{name}: labels {browser.look("crowded()")}')
    browser.media("light")
    browser.window(390, 844, phone=True)
    check(not browser.look("wide()"), f'{name}: wider than a phone: {browser.look("wide()")}')
    check(not browser.look("crowded()"), f'{name}, phone: labels {browser.look("crowded()")}')
    browser.picture(f"{name}-phone")
    # A4 at 96 pixels per inch, less the margins.
    browser.window(718, 1047)
    browser.media("light", "print")
    check(not browser.look("cut(1047)"), f'{name}: paper cuts {browser.look("cut(1047)")}')
    browser.picture(f"{name}-print")
    browser.media()
    browser.window()
    pages = browser.paper(name)
    check(pages >= 2, f"{name}: {pages} pages of paper")


def check_saving(browser, name):
    """A click gives the file that the page holds."""
    browser.js("document.querySelector('figure details.data').setAttribute('open', '')")
    browser.js("document.querySelector('figure .data button').click()")
    file, text = browser.js("(({ dataset, textContent }) => [dataset.file, textContent])(document.querySelector('figure pre[data-file]'))")
    path = browser.downloads / file
    check(wait(path.is_file) and path.read_bytes().decode() == text, f"{name}: {file} is not saved as it is shown")


def check_quiet(browser, name, allowed):
    complaints = browser.complaints()
    check(not complaints, f"{name}: the console says {complaints}")
    strange = [url for url in browser.requests() if not url.startswith((allowed, "data:", "blob:"))]
    check(not strange, f"{name}: asks for {strange}")


def study(isobath, out, name, *flags):
    command = [isobath, "study", HERE / f"{name}.toml", "--out", out / name, "--quiet", "--force", *flags]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def report(browser, isobath, out, name):
    check(study(isobath, out, name).wait() == 0, f"{name}: the study fails")
    address = (out / name / "report.html").resolve().as_uri()
    browser.window()
    seconds = browser.open(address)
    print(f"{name}: {(out / name / 'report.html').stat().st_size} bytes, shown after {seconds:.2f} s")
    check_structure(browser, name)
    check_figures(browser, name, json.loads((out / name / "summary.json").read_text()))
    check_pointer(browser, name)
    check_slider(browser, name)
    check_keyboard(browser, name)
    check_saving(browser, name)
    browser.open(address)
    check_looks(browser, name)
    check_quiet(browser, name, address)


def large(browser, isobath, out):
    """A page of 100 networks of 1,000 layers, made from the summary of a small study."""
    summary = json.loads((out / "figures" / "summary.json").read_text())
    summary["groups"] = summary["groups"][:1]
    group, summary["claims"] = summary["groups"][0], []
    model = max(group["rows"], key=lambda row: len(row["course"]["steps"]))
    steps, depth, networks = 20, 1000, 100

    def stretched(values, count):
        return [values[i * len(values) // count] for i in range(count)]

    course = {name: stretched(values, steps) for name, values in model["course"].items() if values}
    for name in ["log10_delta", "log10_w", "speed"]:
        course[name] = [stretched(layers, depth) for layers in course[name]]
    course["steps"] = [100 * step for step in range(steps)]
    layers = [dict(layer, layer=i + 1) for i, layer in enumerate(stretched(model["layers"], depth))]
    group["rows"] = [dict(model, name=f"network {i}", depth=depth, course=course, layers=layers) for i in range(networks)]
    folder = out / "large" / "run"
    folder.mkdir(parents=True)
    shutil.copy(out / "figures" / "records.jsonl", folder)
    (folder / "summary.json").write_text(json.dumps(summary))
    server, address = serve(isobath, out / "large")
    try:
        browser.window()
        # The server makes it now, and keeps it.
        size = len(urllib.request.urlopen(address + "run/run").read())
        shown = browser.open(address + "run/run")
        check(10_000 < size < 20_000_000, f"large: {size} bytes")
        check(browser.js("document.querySelector('.left-out') !== null"), "large: does not say what it leaves out")
        started = time.monotonic()
        check_slider(browser, "large")
        moved = time.monotonic() - started
        print(f"large: {size} bytes, shown after {shown:.2f} s; three steps of the slider {moved:.2f} s")
        check_quiet(browser, "large", address)
        browser.open("about:blank")
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(out / "large")


def serve(isobath, folder):
    """A server of the run folders below a folder, and its address."""
    server = subprocess.Popen([isobath, "serve", folder, "--port", "0"], stdout=subprocess.PIPE, text=True)
    return server, re.search(r"http://\S+/", server.stdout.readline()).group()


def live(browser, isobath, out):
    """A study is watched from its beginning to its end, beside those that have finished."""
    running = study(isobath, out, "speed", "--threads", "1")
    server, address = serve(isobath, out)
    page = address + "run/speed"

    def asked():
        """The page as the server has it now, and its version."""
        try:
            with urllib.request.urlopen(page, timeout=PATIENCE) as answer:
                return answer.read().decode(), answer.headers["x-version"]
        except urllib.error.HTTPError:
            return "", None

    try:
        # It stands still while it is looked at, however long that takes.
        check(wait(lambda: 'type="range"' in asked()[0] or running.poll() is not None), "live: no slider while it runs")
        running.send_signal(signal.SIGSTOP)
        browser.open(address)
        check(browser.wait("document.querySelectorAll('tbody tr').length === 3"), "live: the index does not list all runs")
        check(browser.js("document.querySelectorAll('.run svg.chart').length") >= 2, "live: no figures side by side")
        browser.picture("live-index")
        check_structure(browser, "index")
        browser.open(page)
        check(browser.wait(f"document.body.dataset.version === '{asked()[1]}'"), "live: the page is not what the server has")
        check(browser.js("document.querySelector('.state').textContent.includes('running')"), "live: the study is not seen running")
        browser.js("document.querySelector('input[type=range]').focus()")
        browser.key("End", 35)
        step = browser.js("document.querySelector('.at-step output').textContent")
        check(int(step) > 0, f"live: End moves the slider to {step}")
        browser.picture("live-running")
        running.send_signal(signal.SIGCONT)
        check(running.wait() == 0, "live: the study fails")
        # Nothing of the run changes any more, so the page stays as it is from here on.
        check(browser.wait(f"document.body.dataset.version === '{asked()[1]}'"), "live: the page does not follow")
        check(browser.js("document.querySelector('.state').textContent.includes('finished, ')"), "live: the end is not seen")
        check(browser.js("document.querySelector('.at-step output')?.textContent") == step, "live: the slider has moved")
        check_structure(browser, "live")
        check_figures(browser, "speed", json.loads((out / "speed" / "summary.json").read_text()))
        check_pointer(browser, "live")
        check_slider(browser, "live")
        check_keyboard(browser, "live")
        check_looks(browser, "live")
        check_quiet(browser, "live", address)
    finally:
        for process in [running, server]:
            process.kill()
            process.wait()


def main():
    isobath, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    started = time.monotonic()
    browser = Browser(out)
    try:
        for name in ["figures", "sweep"]:
            report(browser, isobath, out, name)
        large(browser, isobath, out)
        live(browser, isobath, out)
    finally:
        browser.quit()
    print(f"browser: {len(failures)} failures, {time.monotonic() - started:.0f} s; pictures in {out}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
