"""A study's records as CSV, as TensorBoard reads them from event files, and as pyarrow reads them from Parquet.

    records.py ISOBATH

All three must say the same: Parquet to the last bit, event files rounded to f32, histograms as their values make them.
"""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

isobath = sys.argv[1]
STUDY = Path(__file__).parent / "../../harness/tests/small.toml"
KEYS = ["network", "phase", "setting", "seed", "step", "layer"]
WHOLE = {"setting", "seed", "step", "layer"}


def run(*arguments):
    done = subprocess.run([isobath, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def value(column, text):
    if column in ("network", "phase"):
        return text
    return None if text == "" else int(text) if column in WHOLE else float(text)


def read_csv(path):
    with open(path, newline="") as file:
        return [{column: value(column, text) for column, text in row.items()} for row in csv.DictReader(file)]


def compare_parquet(path, rows):
    # pyarrow's own types: a column that it read as something else would compare unequal.
    table = pyarrow.parquet.read_table(path)
    types = {field.name: str(field.type) for field in table.schema}
    for column in rows[0]:
        expected = "string" if column in ("network", "phase") else "int64" if column in WHOLE else "double"
        assert types[column] == expected, f"{column} is {types[column]}"
    assert table.column_names == list(rows[0])
    assert table.to_pylist() == rows
    return table.num_rows


def compare_tensorboard(logs, rows):
    scalars = histograms = 0
    runs = {}
    for row in rows:
        runs.setdefault(tuple(row[key] for key in KEYS[:4]), []).append(row)
    for (network, phase, setting, seed), rows in runs.items():
        folder = logs / network / f"{phase} setting {setting} seed {seed}"
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
        events.Reload()
        digits = len(str(max(row["layer"] or 0 for row in rows)))
        expected, layers = {}, {}
        for row in rows:
            for column, figure in row.items():
                if column in KEYS or figure is None:
                    continue
                layer = row["layer"]
                tag = column if layer is None else f"{column}/layer_{layer:0{digits}}"
                expected.setdefault(tag, []).append((row["step"], float(np.float32(figure))))
                if layer is not None:
                    layers.setdefault((f"{column}/layers", row["step"]), []).append(figure)
        tags = events.Tags()
        assert set(tags["scalars"]) == set(expected), folder
        for tag, points in expected.items():
            assert [(event.step, event.value) for event in events.Scalars(tag)] == points, f"{folder}: {tag}"
            scalars += len(points)
        layers = {place: figures for place, figures in layers.items() if len(figures) > 1}
        found = {(tag, event.step): event.histogram_value for tag in tags["histograms"] for event in events.Histograms(tag)}
        assert found.keys() == layers.keys(), folder
        for place, figures in layers.items():
            histogram = found[place]
            assert (histogram.min, histogram.max, histogram.num) == (min(figures), max(figures), len(figures))
            assert np.isclose(histogram.sum, sum(figures)) and sum(histogram.bucket) == len(figures)
            inside = np.searchsorted(histogram.bucket_limit, figures)
            assert np.abs(np.cumsum(np.bincount(inside, minlength=len(histogram.bucket)))
                          - np.cumsum(histogram.bucket)).max() <= 1, f"{place}: {figures}"
            histograms += 1
    return scalars, histograms


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    run("study", STUDY, "--out", folder / "run", "--quiet")
    run("export", folder / "run", "--csv", folder / "a.csv", "--parquet", folder / "a.parquet", "--tensorboard", folder / "logs")
    rows = read_csv(folder / "a.csv")
    assert len(rows) > 100 and len({row["network"] for row in rows}) > 3
    print(f"pyarrow: {compare_parquet(folder / 'a.parquet', rows)} rows are those of the CSV")
    scalars, histograms = compare_tensorboard(folder / "logs", rows)
    assert scalars > 1000 and histograms > 100
    print(f"TensorBoard: {scalars} scalars and {histograms} histograms are those of the CSV")
