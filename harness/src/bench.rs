//! How fast the kernels run here, beside what this machine can do, both measured in one run.

pub mod elementwise;
pub mod gemm;
pub mod limits;
pub mod phases;
pub mod probes;
mod timing;
pub mod training;

pub use limits::Limits;
pub use timing::Interval;

use crate::activation::Activation;

/// Serialises an activation by its name.
fn name<S: serde::Serializer>(activation: &Activation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(activation)
}
