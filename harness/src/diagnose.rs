//! Diagnosis from records: norms per layer, of any network and from any program, are enough to say whether its gradient
//! vanishes or explodes, at which rate, in which layer, and what would mend it.
//!
//! [`records`] reads what was recorded, [`judge`] says what it means. Neither knows how the network was made; a network
//! that is described by flags is probed instead (see [`probe`](crate::probe)), where the remedy can also be run.

mod causes;
mod defect;
mod diagnosis;
pub mod folder;
mod judge;
mod lost;
mod probed;
pub mod records;
mod trend;

pub use diagnosis::{Blame, Diagnosis, Fix};
pub use judge::{judge, judge_networks};
pub use probed::probed;
pub(crate) use probed::{is_sick, recorded};
pub use records::{LayerRecord, Norm, Record, RecordsError};
pub use trend::Rate;
