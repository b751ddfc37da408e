//! Recurrent layers: one cell run over the T steps of a sequence, and back through all of them.
//!
//! A sample of the input is a sequence of T steps of F values; an image is one of its rows, from the top. With W
//! (F x G n), U (n x G n) and b, G gates of n units side by side, step t computes x_t W + b + h_{t-1} U, and the cell
//! makes h_t of it; h_0 = 0. The output is the last states, as many as are asked for, a position each. Each cell says
//! in its own file what it does.
//!
//! Inside, arrays lie step after step, B rows each, so that a step is a matrix without gaps and all steps together are
//! one of T B rows: X W + b is one product for all steps and gates, and so are dW = X^T D, dU = H^T D, dX = D W^T. What
//! is left to each step is h_{t-1} U, and D_t U^T on the way back.
//!
//! The gradient of the state carries a power of two from step to step, as deltas do from layer to layer, so it neither
//! vanishes nor overflows in f32 over any number of steps. All of D shares the largest step's power: what is 2^-69
//! times that step's gradient or smaller can underflow in the sums over time (dW, dU, db) and in dX. The forward pass
//! starts from the input's true value.
//!
//! Cost: (F + n) G n multiply-adds per step and row forward, twice that backward. Memory: (F + k n + 1) T + (8 + G) n
//! values per row, k = 11 for the LSTM, 10 for the GRU and 3 for the plain recurrence.
//!
//! Source: Werbos 1990 (backpropagation through time); Pascanu, Mikolov and Bengio 2013 (why it vanishes or explodes).

mod gru;
mod kept;
mod lstm;
mod rnn;
mod start;
mod through_time;

use super::{PlanError, Signal};
use crate::activation::Activation;
use crate::init::Init;

/// A kind of cell.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Cell, Layer, Place, Plan, PlanError, Recurrent, Signal};
///
/// // Each gate of 4 units has weights for 2 features and 4 states, and a bias per unit.
/// let gate = 4 * (2 + 4 + 1);
/// for (cell, gates) in [(Cell::Lstm, 4), (Cell::Gru, 3), (Cell::Rnn(Activation::Tanh), 1)] {
///     let layers = [Layer::Recurrent(Recurrent::new(cell, 4, Init::XAVIER))];
///     let mut places = [Place::default()];
///     let plan = Plan::new(Signal::sequence(10, 2), 1, &layers, &mut places)?;
///     assert_eq!(plan.parameters(), gates * gate);
/// }
/// # Ok::<(), PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Long short-term memory (Hochreiter and Schmidhuber 1997, Gers et al. 2000).
    Lstm,
    /// Gated recurrent unit (Cho et al. 2014), its reset gate after the product.
    Gru,
    /// The plain recurrence h' = phi(x W + b + h U). PReLU, which learns, is no phi of it.
    Rnn(Activation),
}

/// How the bias of the gate that keeps the state starts: the LSTM's forget gate, the GRU's update gate.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Arena, Cell, ForgetBias, Layer, Place, Plan, Recurrent, Signal};
/// use isobath::random::Random;
///
/// let lstm = Recurrent::new(Cell::Lstm, 2, Init::XAVIER);
/// let layers = [Layer::Recurrent(Recurrent { forget_bias: ForgetBias::Fixed(1.0), ..lstm })];
/// let mut places = [Place::default()];
/// let plan = Plan::new(Signal::sequence(10, 3), 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.initialise(&plan, &mut Random::new(1));
/// // The gates are input, forget, output and candidate, two units of each.
/// let biases = &arena.parameters[plan.places()[0].weight_count..];
/// assert_eq!(biases, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ForgetBias {
    /// At this value; 1 is usual (Gers et al. 2000, Jozefowicz et al. 2015).
    Fixed(f32),
    /// At ln u with u uniform in [1, T - 1], so that units keep their state for all times up to that of the sequence;
    /// the LSTM's input gate starts at minus that (Tallec and Ollivier 2018).
    Chrono,
}

/// Which states are the output.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Cell, Layer, Place, Plan, PlanError, Recurrent, Shown, Signal};
///
/// let steps = Signal::sequence(5, 2);
/// let shows = |shown| {
///     let layers = [Layer::Recurrent(Recurrent { shown, ..Recurrent::new(Cell::Gru, 4, Init::LECUN) })];
///     let mut places = [Place::default()];
///     Plan::new(steps, 1, &layers, &mut places).map(|plan| plan.output_signal())
/// };
/// assert_eq!(shows(Shown::Last(1)), Ok(Signal::sequence(1, 4)));
/// assert_eq!(shows(Shown::All), Ok(Signal::sequence(5, 4)));
/// assert_eq!(shows(Shown::Last(6)), Err(PlanError::Shown { layer: 0, shown: 6, steps: 5 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All.
    All,
    /// So many of the last ones, 1 to T.
    Last(usize),
}

/// A recurrent layer.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Arena, Cell, Layer, Mode, Pass, Place, Plan, Recurrent, Shown, Signal, Unwatched};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// // h' = x W + b + h U with W = U = 1 and b = 0 adds up a sequence.
/// let linear = Recurrent::new(Cell::Rnn(Activation::Identity), 1, Init::LECUN);
/// let layers = [Layer::Recurrent(Recurrent { shown: Shown::All, ..linear })];
/// let mut places = [Place::default()];
/// let plan = Plan::new(Signal::sequence(3, 1), 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.parameters.copy_from_slice(&[1.0, 1.0, 0.0]);
/// arena.input_mut(&plan, 1).copy_from_slice(&[1.0, 10.0, 100.0]);
/// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
/// pass.forward(&mut arena, Mode::Inference, &mut Unwatched)?;
/// assert_eq!(arena.output(&plan, 1), [1.0, 11.0, 111.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recurrent {
    /// What runs.
    pub cell: Cell,
    /// Units n of the state.
    pub units: usize,
    /// The states that are the output.
    pub shown: Shown,
    /// How W and b are started, gate by gate.
    pub input_init: Init,
    /// How U is started, gate by gate; it has no bias.
    pub recurrent_init: Init,
    /// The bias that replaces what `input_init` draws for it; a plain recurrence has none.
    pub forget_bias: ForgetBias,
    /// The norm to which the gradient of the state, of all rows together (LSTM: of h and c together), is cut at each
    /// step on its way back. A gradient that is not finite goes through.
    pub clip: Option<f32>,
}

impl Recurrent {
    /// A layer that shows its last state and clips nothing.
    pub const fn new(cell: Cell, units: usize, init: Init) -> Self {
        let forget_bias = ForgetBias::Fixed(0.0);
        Self {
            cell,
            units,
            shown: Shown::Last(1),
            input_init: init,
            recurrent_init: init,
            forget_bias,
            clip: None,
        }
    }

    /// The sizes for such an input; an error where this is no layer for it.
    pub(super) fn sizes(&self, layer: usize, input: Signal) -> Result<Sizes, PlanError> {
        if self.units == 0 {
            return Err(PlanError::Zero("the width of a recurrent layer"));
        }
        let sizes = self.sizes_of(input);
        let Sizes { steps, shown, .. } = sizes;
        if shown == 0 || shown > steps {
            return Err(PlanError::Shown { layer, shown, steps });
        }
        if matches!(self.cell, Cell::Rnn(Activation::Prelu(_))) {
            return Err(PlanError::RecurrentPrelu { layer });
        }
        if self.clip.is_some_and(|limit| limit.is_nan() || limit <= 0.0) {
            return Err(PlanError::RecurrentClip { layer });
        }
        Ok(sizes)
    }

    /// The sizes for an input that a plan has checked.
    fn sizes_of(&self, input: Signal) -> Sizes {
        Sizes {
            steps: input.height,
            features: input.width.saturating_mul(input.channels),
            columns: self.cell.gates().saturating_mul(self.units),
            shown: match self.shown {
                Shown::All => input.height,
                Shown::Last(states) => states,
            },
        }
    }
}

/// What a layer is for a certain input.
pub(super) struct Sizes {
    /// T.
    pub(super) steps: usize,
    /// F.
    pub(super) features: usize,
    /// G n.
    pub(super) columns: usize,
    /// States that are the output.
    pub(super) shown: usize,
}

impl Cell {
    /// G, the gates: blocks of columns of W, U and b.
    pub(super) const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Rnn(_) => 1,
        }
    }

    /// What the way back needs besides a factor per gate, in blocks of columns.
    const fn more(self) -> usize {
        match self {
            Self::Lstm | Self::Gru => 2,
            Self::Rnn(_) => 0,
        }
    }

    /// Blocks of columns of D: a gradient per gate, and for the GRU one more.
    const fn deltas(self) -> usize {
        match self {
            Self::Lstm | Self::Gru => 4,
            Self::Rnn(_) => 1,
        }
    }

    /// The first of the blocks of D that belong to U; those of W start with the first.
    const fn first_recurrent(self) -> usize {
        match self {
            Self::Gru => 1,
            Self::Lstm | Self::Rnn(_) => 0,
        }
    }
}

/// One step forward, B rows of each: `gates` holds x W + b, `recalled` h U, `before` h. The cell writes h' to `after`,
/// leaves in `gates` and `more` what the way back multiplies with, and works in `scratch`, at least 6 n long.
struct Forward<'a> {
    units: usize,
    gates: &'a mut [f32],
    more: &'a mut [f32],
    recalled: &'a [f32],
    before: &'a [f32],
    after: &'a mut [f32],
    /// c, of the LSTM alone.
    memory: &'a mut [f32],
    scratch: &'a mut [f32],
}

/// One step back, B rows of each: from dL/dh' in `state` (and dL/dc' in `memory`) to D. What is left in `state` and
/// `memory` is the gradient of the state before but for D U^T.
struct Backward<'a> {
    units: usize,
    gates: &'a [f32],
    more: &'a [f32],
    state: &'a mut [f32],
    memory: &'a mut [f32],
    deltas: &'a mut [f32],
}
