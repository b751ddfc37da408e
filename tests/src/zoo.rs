//! Small networks of every kind: each layer alone, at each end, and in each combination that shares memory.

use isobath::activation::Activation;
use isobath::net::{Cell, Dense, ForgetBias, Layer, Recurrent, Shown, Signal};

use crate::case::{Case, INIT};

/// Every activation function, with parameters where they have some.
pub const ACTIVATIONS: [Activation; 14] = [
    Activation::Identity,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::Leaky(0.01),
    Activation::Prelu(0.25),
    Activation::Prelu(-0.5),
    Activation::Elu(1.0),
    Activation::Elu(1.5),
    Activation::Selu,
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Softplus,
];

const WIDTH: usize = 6;
const TANH: Layer = Layer::Activation(Activation::Tanh);
const GELU: Layer = Layer::Activation(Activation::Gelu);
const PRELU: Layer = Layer::Activation(Activation::Prelu(0.25));
const IDENTITY: Layer = Layer::Activation(Activation::Identity);
const DENSE: Layer = Layer::dense(WIDTH, INIT);
const STANDARDISED: Layer = Layer::Standardised(Dense { units: WIDTH, init: INIT, weight_scale: 1.0 });
const TOP: Layer = Layer::dense(3, INIT);
const BATCH_NORM: Layer = Layer::BATCH_NORM;
const LAYER_NORM: Layer = Layer::LAYER_NORM;
const START: Layer = Layer::SkipStart;
const END: Layer = Layer::SkipEnd { scale: 1.0 };

const LEARNED: Layer = Layer::LearnedSkipEnd { start: 0.5 };

/// A factor on the branch.
const fn end(scale: f32) -> Layer {
    Layer::SkipEnd { scale }
}

/// One network of each kind, six columns in, batches of nine rows.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, layers: &[Layer]| cases.push(Case::new(name, WIDTH, 9, layers.to_vec()));
    for function in ACTIVATIONS {
        let phi = Layer::Activation(function);
        add(format!("{function} between dense layers"), &[DENSE, phi, TOP]);
        add(format!("{function} on the input"), &[phi, TOP]);
        add(format!("{function} at the top"), &[TOP, phi]);
        add(format!("{function} at the start of a branch"), &[DENSE, START, phi, DENSE, END, TOP]);
        add(format!("{function} after a sum"), &[START, DENSE, end(0.5), phi, TOP]);
        add(format!("{function} alone in a branch"), &[DENSE, START, TANH, phi, end(-0.7), TOP]);
    }
    for (name, norm) in [("batch norm", BATCH_NORM), ("layer norm", LAYER_NORM)] {
        add(format!("{name} alone"), &[norm]);
        add(format!("{name} on the input"), &[norm, TANH, TOP]);
        add(format!("{name} before the activation"), &[DENSE, norm, TANH, TOP]);
        add(format!("{name} after the activation"), &[DENSE, TANH, norm, TOP]);
        add(format!("{name} twice"), &[DENSE, norm, TANH, norm, PRELU, TOP]);
        add(format!("{name} first in a block"), &[DENSE, START, norm, GELU, DENSE, END, TOP]);
        add(format!("{name} last in a block"), &[DENSE, START, DENSE, norm, end(0.5), TOP]);
        add(format!("{name} after a sum"), &[START, DENSE, TANH, END, norm, START, DENSE, END, norm, TOP]);
    }
    let others: [(&str, &[Layer]); 19] = [
        ("no layer", &[]),
        ("one dense layer", &[TOP]),
        ("dense layers alone", &[DENSE, Layer::dense(1, INIT), TOP]),
        ("activations in a row", &[DENSE, TANH, PRELU, IDENTITY, GELU, TOP]),
        ("a branch on the input", &[START, DENSE, TANH, DENSE, end(0.5)]),
        ("a scaled branch that changes width inside", &[START, TOP, TANH, DENSE, end(-2.0), TOP]),
        ("standardised weights", &[STANDARDISED]),
        ("standardised weights in a row", &[STANDARDISED, TANH, STANDARDISED, PRELU, TOP]),
        (
            "standardised weights, normalised",
            &[STANDARDISED, BATCH_NORM, GELU, STANDARDISED, LAYER_NORM, TOP],
        ),
        ("standardised weights in a branch", &[DENSE, START, STANDARDISED, TANH, STANDARDISED, END, TOP]),
        ("a learned branch", &[DENSE, START, TANH, DENSE, LEARNED, TOP]),
        (
            "a learned branch on the input, activated after the sum",
            &[START, DENSE, PRELU, LEARNED, GELU, TOP],
        ),
        (
            "a learned branch in a branch",
            &[START, DENSE, START, TANH, LEARNED, DENSE, LEARNED, START, GELU, END],
        ),
        ("a branch without weight", &[DENSE, START, DENSE, TANH, end(0.0), TOP]),
        ("blocks in a row", &[START, DENSE, TANH, END, START, PRELU, DENSE, END, START, GELU, END, TOP]),
        ("a block in a block", &[START, DENSE, START, TANH, DENSE, end(0.5), GELU, end(2.0), TOP]),
        ("two skips from one place", &[DENSE, START, START, TANH, DENSE, END, end(0.5), TOP]),
        ("two sums in one place", &[START, DENSE, START, DENSE, END, END, TANH, TOP]),
        (
            "four blocks deep",
            &[
                START,
                IDENTITY,
                START,
                PRELU,
                START,
                DENSE,
                START,
                TANH,
                END,
                end(0.5),
                END,
                GELU,
                end(0.3),
                TOP,
            ],
        ),
    ];
    for (name, layers) in others {
        add(name.into(), layers);
    }
    cases
}

/// Every kind of cell.
pub const CELLS: [Cell; 5] = [
    Cell::Lstm,
    Cell::Gru,
    Cell::Rnn(Activation::Tanh),
    Cell::Rnn(Activation::Relu),
    Cell::Rnn(Activation::Identity),
];

/// A recurrent layer of so many units, with a bias that keeps the state and is not 0.
pub fn recurrent(cell: Cell, units: usize, shown: Shown) -> Recurrent {
    Recurrent { shown, forget_bias: ForgetBias::Fixed(0.5), ..Recurrent::new(cell, units, INIT) }
}

/// Networks with recurrent layers: all cells, 1 to 7 steps, 1 to 5 rows, alone, stacked, between others.
pub fn recurrent_cases() -> Vec<Case> {
    const LAST: Shown = Shown::Last(1);
    let mut cases = Vec::new();
    for cell in CELLS {
        let layer = |units, shown| Layer::Recurrent(recurrent(cell, units, shown));
        let mut add = |name: &str, steps, features, batch, layers: &[Layer]| {
            let signal = Signal::sequence(steps, features);
            cases.push(Case::new(format!("{cell:?} {name}"), signal, batch, layers.to_vec()));
        };
        add("of one step", 1, 3, 1, &[layer(2, LAST)]);
        add("of two steps", 2, 1, 5, &[layer(3, LAST), TOP]);
        add("of seven steps", 7, 2, 3, &[layer(4, LAST), TOP]);
        add("that shows all", 5, 2, 2, &[layer(3, Shown::All)]);
        add("that shows three", 5, 2, 4, &[layer(2, Shown::Last(3)), TANH, TOP]);
        add("stacked", 4, 3, 3, &[layer(3, Shown::All), layer(2, Shown::Last(2)), TOP]);
        add("flattened", 4, 2, 3, &[layer(2, Shown::Last(3)), Layer::Flatten, TOP]);
        add("between others", 3, 4, 3, &[DENSE, LAYER_NORM, TANH, layer(3, Shown::Last(2)), PRELU, TOP]);
        add("in a branch", 2, 3, 4, &[START, layer(3, Shown::All), end(0.5), TOP]);
    }
    cases
}
