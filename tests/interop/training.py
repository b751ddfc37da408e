"""A training step in NumPy, in f64, on weights that `isobath train` saved, beside the step that isobath made of them.

    training.py ISOBATH

For each loss and some activations: isobath trains a network and saves its weights; starts again from these, saves the
gradients of the first batch and that batch, makes one step, and saves the weights. NumPy reads the weights and the batch
with the safetensors package, in PyTorch's layout (y = x W^T + b), and must find the same loss, gradients and new weights.

Tolerance: relative to the largest element of a tensor, 1e-5: some 80 roundings of f32, for sums of at most 30 terms in each
of 5 layers. A wrong transpose or a forgotten factor is off by some 1.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

isobath = sys.argv[1]
TOLERANCE = 1e-5
DEPTH, RATE = 4, 0.05

FILE = """
[data]
source = "spirals"
train = 200
test = 50
[training]
steps = {steps}
batch = 30
record_every = 10
[optimizer]
name = "sgd"
rate = {rate}
[network]
name = "peer"
depth = {depth}
width = 12
activation = "{activation}"
init = "xavier"
loss = "{loss}"
"""

def sigmoid(h):
    return 1 / (1 + np.exp(-h))


# phi and phi' of h.
ACTIVATIONS = {
    "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
    "relu": (lambda h: np.maximum(h, 0), lambda h: (h > 0).astype(h.dtype)),
    "sigmoid": (sigmoid, lambda h: sigmoid(h) * (1 - sigmoid(h))),
    "silu": (lambda h: h * sigmoid(h), lambda h: sigmoid(h) * (1 + h * (1 - sigmoid(h)))),
    "softplus": (lambda h: np.logaddexp(0, h), sigmoid),
}


def head(loss, logits, labels):
    """The loss, a mean over the batch, and its gradient with respect to the logits."""
    rows = len(labels)
    targets = np.eye(logits.shape[1])[labels]
    if loss == "cross-entropy":
        shifted = logits - logits.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -(targets * logs).sum() / rows, (np.exp(logs) - targets) / rows
    if loss == "sigmoid-cross-entropy":
        value = (np.logaddexp(0, logits) - targets * logits).sum() / rows
        return value, (sigmoid(logits) - targets) / rows
    y = sigmoid(logits)
    return 0.5 * ((y - targets) ** 2).sum() / rows, (y - targets) * y * (1 - y) / rows


def step(weights, x, labels, activation, loss):
    phi, slope = ACTIVATIONS[activation]
    names = [f"hidden.{layer}" for layer in range(1, DEPTH + 1)] + ["output"]
    inputs, sums = [], []
    for name in names:
        inputs.append(x)
        sums.append(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])
        x = phi(sums[-1])
    value, delta = head(loss, sums[-1], labels)
    gradients = {}
    for i in reversed(range(len(names))):
        gradients[f"{names[i]}.weight"] = delta.T @ inputs[i]
        gradients[f"{names[i]}.bias"] = delta.sum(axis=0)
        if i > 0:
            delta = (delta @ weights[f"{names[i]}.weight"]) * slope(sums[i - 1])
    return value, gradients


def agree(what, ours, theirs):
    assert ours.shape == theirs.shape, f"{what}: {ours.shape} beside {theirs.shape}"
    error = np.abs(ours - theirs).max() / np.abs(theirs).max()
    assert error < TOLERANCE, f"{what}: off by {error:.1e}"
    return error


def train(folder, name, flags, **settings):
    path = folder / f"{name}.toml"
    path.write_text(FILE.format(depth=DEPTH, **settings))
    done = subprocess.run([isobath, "train", path, *flags, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


worst, compared = 0.0, 0
for activation in ACTIVATIONS:
    for loss in ["cross-entropy", "sigmoid-cross-entropy", "squared"]:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            start, end, batch = (folder / f"{name}.safetensors" for name in ("start", "end", "batch"))
            of = {"activation": activation, "loss": loss}
            train(folder, "first", ["--save", start], steps=20, rate=0.1, **of)
            flags = ["--load", start, "--save", end, "--save-gradients", batch]
            course = train(folder, "second", flags, steps=1, rate=RATE, **of)["course"]
            weights = {name: tensor.astype(np.float64) for name, tensor in load_file(start).items()}
            gradients, moved = load_file(batch), load_file(end)
            x, labels = gradients.pop("batch.input").astype(np.float64), gradients.pop("batch.labels")
            value, expected = step(weights, x, labels, activation, loss)
            assert gradients.keys() == expected.keys() == moved.keys()
            what = f"{activation}, {loss}"
            errors = [agree(f"{what}: the loss", np.array([course["loss"][0]]), np.array([value]))]
            for name in expected:
                errors.append(agree(f"{what}: gradient of {name}", gradients[name], expected[name]))
                agree(f"{what}: {name} after the step", moved[name], weights[name] - RATE * expected[name])
            norm = np.log10(np.sqrt(sum((g**2).sum() for g in expected.values())))
            assert abs(course["log10_gradient"][0] - norm) < 1e-5, f"{what}: the norm of all gradients"
            worst, compared = max(worst, *errors), compared + len(errors)
print(f"NumPy: {compared} tensors and losses agree; the worst is off by {worst:.1e} of its largest element")
