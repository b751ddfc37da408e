//! The optimisers with their rates that every row of a study is tuned over.

use super::file::{GridTable, OptimizerName};
use crate::net::update::Optimizer;

/// The momentum of the `momentum` and `nesterov` optimisers.
const MOMENTUM: f32 = 0.9;

/// An optimiser with its rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The optimiser's name.
    pub name: OptimizerName,
    /// The rule.
    pub optimizer: Optimizer,
    /// The learning rate.
    pub rate: f32,
}

impl Setting {
    /// As it is printed: `momentum 0.1`.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.rate)
    }
}

/// The settings of one optimiser.
pub(super) fn settings(grid: &GridTable) -> impl Iterator<Item = Setting> + '_ {
    let optimizer = match grid.optimizer {
        OptimizerName::Sgd => Optimizer::Sgd,
        OptimizerName::Momentum => Optimizer::Momentum { momentum: MOMENTUM, nesterov: false },
        OptimizerName::Nesterov => Optimizer::Momentum { momentum: MOMENTUM, nesterov: true },
        OptimizerName::Adam => Optimizer::Adam { weight_decay: 0.0 },
        OptimizerName::AdamW => Optimizer::Adam { weight_decay: grid.weight_decay },
    };
    grid.rates.iter().map(move |rate| Setting { name: grid.optimizer, optimizer, rate: *rate })
}
