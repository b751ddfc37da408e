//! The zoo: hundreds of generated networks, some sick in known ways, and how often the diagnosis is right about them.
//!
//! [`population`] draws ensembles of networks, with faults and decoys. What is true of each is simulated in f64 by code
//! of its own (`simulation`), which shares neither kernels nor theory with the rest; what is diagnosed are eight other
//! networks, built and run by the harness, of which the diagnosis sees the record and no flag.

mod case;
mod ensemble;
mod generator;
mod population;
mod rows;
mod score;
mod simulation;
mod subject;

pub use case::{Case, Class, Interval};
pub use ensemble::{Ensemble, Fault, Input, Phi, Weights};
pub use population::population;
pub use score::{Score, Target};
pub use simulation::{Seen, Survey};
