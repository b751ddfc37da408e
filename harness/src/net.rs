//! Networks: a list of layers over one arena that a plan lays out before the first step.
//!
//! Nothing here allocates, reads a clock or needs an operating system: a microcontroller runs this very code over a
//! static buffer. [`Plan`] says where everything lies, [`Arena`] is the memory cut up accordingly, and
//! [`forward`](Pass::forward), [`backward`](Pass::backward) and [`Update::apply`](update::Update::apply) work on it.
//!
//! Shape letters: B samples of the batch, P positions of a sample (1 unless it is an image or a sequence, see [`Signal`]),
//! n_in and n_out the widths of a layer. Activations are B P x n, row-major; dense weights are n_in x n_out, so forward is
//! X W + b.

mod arena;
mod backward;
mod exponent;
mod far;
mod forward;
mod layer;
mod pass;
mod plan;
mod product;
mod recurrent;
mod signal;
pub mod update;
mod watch;

pub use arena::Arena;
pub use layer::{Dense, Layer};
pub use pass::{Mode, NetError, Pass};
pub use plan::{Place, Plan, PlanError, Values};
pub(crate) use product::multiply;
pub use recurrent::{Cell, ForgetBias, Recurrent, Shown};
pub use signal::Signal;
pub use watch::{Unwatched, Watch};
