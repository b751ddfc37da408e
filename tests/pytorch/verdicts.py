"""Networks that PyTorch built, put on record by the hook of docs/diagnose.md, and what `isobath diagnose` says of them.

    verdicts.py ISOBATH GUIDE

Sound and sick networks must get their verdict and, where a layer was spoilt, its number; and ensembles that isobath can
build from flags must get the same verdict both ways, with rates that agree.
"""

import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

isobath, guide = sys.argv[1], Path(sys.argv[2]).read_text()
# The guide's own code is what is tested.
for block in re.findall(r"```python\n(.*?)```", guide, re.S):
    exec(block)

DEPTH, WIDTH, CLASSES, BATCH = 20, 64, 10, 64
NETWORKS = 8


def diagnose(*arguments):
    done = subprocess.run([isobath, "diagnose", *arguments, "--json"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)["networks"][0]


def network(phi, start):
    layers = []
    for _ in range(DEPTH):
        linear = torch.nn.Linear(WIDTH, WIDTH)
        start(linear.weight)
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, phi()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(WIDTH, CLASSES))


def recorded(net, folder):
    x, labels = torch.randn(BATCH, WIDTH), torch.randint(CLASSES, (BATCH,))
    path = folder / "norms.csv"
    record(net, lambda: torch.nn.functional.cross_entropy(net(x), labels), path)
    return diagnose(str(path))


def gaussian(variance):
    return lambda weight: torch.nn.init.normal_(weight, std=math.sqrt(variance / weight.shape[1]))


def uniform(weight):
    limit = 1 / math.sqrt(weight.shape[1])
    torch.nn.init.uniform_(weight, -limit, limit)


def spoilt(net, layer, change):
    with torch.no_grad():
        change(net[2 * (layer - 1)].weight)
    return net


def check(what, found, expected):
    print(f"{what}: {found}")
    assert found == expected, f"{what}: {found}, expected {expected}"


torch.manual_seed(1)
with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    for name, phi, start, flags in [
        ("ReLU, the framework's own uniform weights", torch.nn.ReLU, uniform, "relu --init uniform"),
        ("ReLU, He", torch.nn.ReLU, gaussian(2), "relu --init he"),
        ("ReLU, weights too large", torch.nn.ReLU, gaussian(3), "relu --weight-var 3"),
        ("sigmoid, Xavier", torch.nn.Sigmoid, gaussian(1), "sigmoid --init xavier"),
        ("tanh, Xavier", torch.nn.Tanh, gaussian(1), "tanh --init xavier"),
    ]:
        built = diagnose("--activation", *flags.split(), "--depth", str(DEPTH), "--width", str(WIDTH),
                         "--batch", str(BATCH), "--cotangent", "loss", "--nets", str(NETWORKS))
        ours = [recorded(network(phi, start), folder) for _ in range(NETWORKS)]
        kinds = [each["kind"] for each in ours]
        # One network strays; most of them have the verdict of the ensemble.
        check(name, max(set(kinds), key=kinds.count), built["kind"])
        rate = math.exp(sum(math.log(each["rate"]["factor"]) for each in ours) / NETWORKS)
        assert abs(rate / built["rate"]["factor"] - 1) < 0.03, (name, rate, built["rate"]["factor"])

    for layer in (1, 7, DEPTH):
        net = spoilt(network(torch.nn.ReLU, gaussian(2)), layer, lambda weight: weight.mul_(0.1))
        found = recorded(net, folder)
        check(f"layer {layer} times 0.1", found["layer"], layer)

    # The framework's own weights and biases: biases hold the signal up, and the units tell that weights are too small.
    layers = [module for _ in range(DEPTH) for module in (torch.nn.Linear(WIDTH, WIDTH), torch.nn.Tanh())]
    found = recorded(torch.nn.Sequential(*layers, torch.nn.Linear(WIDTH, CLASSES)), folder)
    check("tanh, the framework's own weights and biases", (found["kind"], found["causes"][0]["cause"]), ("vanishing", "weights"))

    # The optional columns: ranks by the guide's function.
    net = spoilt(network(torch.nn.Tanh, gaussian(1.5)), 5, lambda weight: weight.copy_(weight[:1].expand_as(weight)))
    recorded(net, folder)
    x, ranks = torch.randn(BATCH, WIDTH), []
    ranks.append(rank(x))
    for layer in net[:-1]:
        x = layer(x).detach()
        if not isinstance(layer, torch.nn.Linear):
            ranks.append(rank(x))
    rows = (folder / "norms.csv").read_text().split("\n")
    head, body = rows[0].strip() + ",rank", [row.strip() for row in rows[1:] if row.strip()]
    table = [head, f"0,0,,1,,,,{ranks[0]}"] + [f"{row},{r}" for row, r in zip(body, ranks[1:])]
    (folder / "norms.csv").write_text("\n".join(table) + "\n")
    found = diagnose(str(folder / "norms.csv"))
    check("units that are alike", (found["kind"], found["layer"]), ("rank-collapse", 5))
print("PASS")
