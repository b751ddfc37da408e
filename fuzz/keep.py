"""Copies the few inputs that cover most: of libFuzzer's record of a merge by set cover (all features of each input), greedily
those that add the most edges, until none is added or as many as are allowed are chosen.

keep.py CONTROL-FILE FOLDER MOST
"""

import pathlib
import shutil
import sys

control, folder, most = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
lines = pathlib.Path(control).read_text().splitlines()
count = int(lines[0])
files = lines[2 : 2 + count]
edges = {}
for line in lines[2 + count :]:
    words = line.split()
    if words[0] == "FT":
        # A feature is eight times the edge, and how often it was passed.
        edges[int(words[1])] = {int(feature) // 8 for feature in words[2:]}
covered = set()
for number in range(most):
    # Of equals the smallest.
    best = max(edges, key=lambda i: (len(edges[i] - covered), -pathlib.Path(files[i]).stat().st_size), default=None)
    if best is None or not edges[best] - covered:
        break
    covered |= edges.pop(best)
    shutil.copy(files[best], folder / f"{number:02}")
print(f"{len(covered)} edges")
