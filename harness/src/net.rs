//! Networks: a list of layers over one arena that a plan lays out before the first step.
//!
//! Nothing here allocates, reads a clock or needs an operating system: a microcontroller runs this very code over a
//! static buffer. [`Plan`] says where everything lies, [`Arena`] is the memory cut up accordingly, and
//! [`forward`](Pass::forward), [`backward`](Pass::backward) and [`Update::apply`](update::Update::apply) work on it.
//!
//! Shape letters: B samples of the batch, P positions of a sample (1 unless it is an image or a sequence, see
//! [`Signal`]), n_in and n_out the widths of a layer. Activations are B P x n, row-major; dense weights are n_in x
//! n_out, so forward is X W + b.
//!
//! ```
//! use isobath::activation::Activation;
//! use isobath::init::Init;
//! use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
//! use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
//! use isobath::random::Random;
//! use isobath::threads::Serial;
//! use isobath_kernels::{Level, MatMut, MatRef, loss};
//!
//! // Three layers of 4, 4 and 1 units learn exclusive or.
//! let (dense, tanh) = (Layer::dense(4, Init::XAVIER), Layer::Activation(Activation::Tanh));
//! let layers = [dense, tanh, dense, tanh, Layer::dense(1, Init::LECUN)];
//! let mut places = [Place::default(); 5];
//! let plan = Plan::new(2, 4, &layers, &mut places)?;
//! let mut memory = vec![0.0; plan.arena_len(0, 1)?];
//! let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
//! arena.initialise(&plan, &mut Random::new(1));
//!
//! let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 4 };
//! let mut update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
//! let inputs = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
//! let targets = MatRef::new(&[0.0, 1.0, 1.0, 0.0], 4, 1)?;
//! let mut losses = Vec::new();
//! for _ in 0..2 {
//!     arena.input_mut(&plan, 4).copy_from_slice(&inputs);
//!     pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
//!     let mut gradient = [0.0; 4];
//!     let (output, into) = (MatRef::new(arena.output(&plan, 4), 4, 1)?, MatMut::new(&mut gradient, 4, 1)?);
//!     losses.push(loss::squared_error(pass.level, output, targets, into)?);
//!     pass.backward(&mut arena, &gradient, false, &mut Unwatched)?;
//!     update.apply(pass.level, &Serial, &plan, &mut arena, 0.1)?;
//! }
//! assert!(losses[1] < losses[0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arena;
mod backward;
mod convolution;
mod exponent;
mod far;
mod forward;
mod layer;
pub mod lsuv;
mod pass;
mod patches;
mod plan;
mod pooling;
mod product;
mod recurrent;
mod restraint;
mod segment;
mod share;
mod signal;
mod standardise;
pub mod update;
mod watch;
mod window;

pub use arena::Arena;
pub use layer::{Convolution, Dense, Layer};
pub use pass::{Mode, NetError, Pass};
pub use plan::{Place, Plan, PlanError, Values};
pub(crate) use product::multiply;
pub use recurrent::{Cell, ForgetBias, Recurrent, Shown};
pub use restraint::Restraint;
pub use signal::Signal;
pub use watch::{Unwatched, Watch};
pub use window::Window;
