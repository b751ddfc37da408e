//! Networks: a list of layers over one arena that a plan lays out before the first step.
//!
//! Nothing here allocates, reads a clock or needs an operating system: a microcontroller runs this very code over a
//! static buffer. [`Plan`] says where everything lies, [`Arena`] is the memory cut up accordingly, and
//! [`forward`](Pass::forward), [`backward`](Pass::backward) and [`Update::apply`](update::Update::apply) work on it.
//!
//! Shape letters: B samples of the batch, P positions of a sample (1 unless it is an image or a sequence, see
//! [`Signal`]), n_in and n_out the widths of a layer. Activations are B P x n, row-major; dense weights are n_in x
//! n_out, so forward is X W + b.

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
