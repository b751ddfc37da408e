//! What a forward or backward pass needs besides the memory: plan, level, threads, and how many rows.

use core::fmt;

use isobath_kernels::Level;

use super::{Plan, Signal};

/// Whether batch norm uses the batch's statistics or the running ones.
///
/// ```
/// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
/// use isobath::random::Random;
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// // Batch norm whose running mean and variance, 0 and 1 at the start, are those of the newest batch.
/// let layers = [Layer::BatchNorm { epsilon: 0.0, momentum: 1.0 }];
/// let mut places = [Place::default()];
/// let plan = Plan::new(1, 2, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.initialise(&plan, &mut Random::new(1));
/// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 2 };
/// let mut run = |mode, x: [f32; 2]| {
///     arena.input_mut(&plan, 2).copy_from_slice(&x);
///     pass.forward(&mut arena, mode, &mut Unwatched).map(|()| arena.output(&plan, 2).to_vec())
/// };
/// assert_eq!(run(Mode::Inference, [4.0, 6.0])?, [4.0, 6.0]);
/// assert_eq!(run(Mode::Recomputation, [4.0, 6.0])?, [-1.0, 1.0]);
/// assert_eq!(run(Mode::Inference, [5.0, 5.0])?, [5.0, 5.0]); // they have not moved
/// assert_eq!(run(Mode::Training, [4.0, 6.0])?, [-1.0, 1.0]);
/// assert_eq!(run(Mode::Inference, [5.0, 5.0])?, [0.0, 0.0]); // now they have
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own, which also move the running ones.
    Training,
    /// The running ones.
    Inference,
    /// The batch's own, and the running ones stay: a pass in training mode that is run again.
    Recomputation,
}

/// Why a pass could not run: an argument does not fit the plan.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Arena, Layer, Mode, NetError, Pass, Place, Plan, Unwatched};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(1, 2, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 3 };
/// let error = pass.forward(&mut arena, Mode::Training, &mut Unwatched).unwrap_err();
/// assert_eq!(error, NetError::Rows { batch: 2, found: 3 });
/// assert_eq!(error.to_string(), "a pass over 3 rows; the plan is for 1 to 2");
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetError {
    /// More samples than the plan's batch, or none.
    Rows {
        /// The plan's batch.
        batch: usize,
        /// Samples asked for.
        found: usize,
    },
    /// The gradient of the loss has fewer elements than the output.
    Gradient {
        /// Elements of the output.
        needed: usize,
        /// Elements given.
        found: usize,
    },
    /// A clipping limit is negative or NaN.
    Limit,
    /// A decay or a largest norm of weights is negative or NaN.
    Restraint,
    /// Training with batch norm on a single sample of a single position.
    BatchNormRows,
    /// All gradients are needed at once, of a plan whose gradients are consumed layer by layer.
    Consumed,
    /// The arena is not of this plan.
    Arena {
        /// The layer whose memory is missing.
        layer: usize,
    },
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows { batch, found } => {
                write!(f, "a pass over {found} rows; the plan is for 1 to {batch}")
            }
            Self::Gradient { needed, found } => {
                write!(f, "the gradient has {found} elements but the output {needed}")
            }
            Self::Limit => f.write_str("the clipping limit must be 0 or positive"),
            Self::Restraint => f.write_str("decay and the largest norm of weights must be 0 or positive"),
            Self::BatchNormRows => f.write_str("batch norm cannot train on a batch of one row"),
            Self::Consumed => f.write_str(
                "all gradients are needed at once, but the plan has them consumed layer by layer; keep them",
            ),
            Self::Arena { layer } => write!(f, "the arena does not belong to this plan (layer {layer})"),
        }
    }
}

impl core::error::Error for NetError {}

/// A pass over the first `rows` samples of a batch.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(2, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.parameters.copy_from_slice(&[2.0, 3.0, 1.0]); // y = 2 x_1 + 3 x_2 + 1
/// arena.input_mut(&plan, 1).copy_from_slice(&[10.0, 100.0]);
///
/// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
/// pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
/// assert_eq!(arena.output(&plan, 1), [321.0]);
/// // The loss is y itself: its gradient with respect to w is x, with respect to b 1.
/// pass.backward(&mut arena, &[1.0], false, &mut Unwatched)?;
/// assert_eq!(arena.gradients, [10.0, 100.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a, T> {
    /// Where everything lies.
    pub plan: Plan<'a>,
    /// The instruction set. It never shows in a bit.
    pub level: Level,
    /// Who shares the work. It never shows in a bit.
    pub threads: &'a T,
    /// Samples in use, each a row of the input; the last batch of a data set may be ragged.
    pub rows: usize,
}

impl<T> Pass<'_, T> {
    pub(super) fn check_rows(&self) -> Result<(), NetError> {
        if self.rows == 0 || self.rows > self.plan.batch {
            return Err(NetError::Rows { batch: self.plan.batch, found: self.rows });
        }
        Ok(())
    }

    /// Rows of the matrix of the samples in use.
    pub(super) fn rows_of(&self, signal: Signal) -> usize {
        self.rows * signal.positions()
    }

    /// Elements of that matrix.
    pub(super) fn elements_of(&self, signal: Signal) -> usize {
        self.rows * signal.elements()
    }
}
