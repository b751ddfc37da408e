//! The optimisers with their rates that every row of a study is tuned over.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::file::GridTable;
use crate::net::update::Optimizer;

/// The momentum of the `momentum` and `nesterov` optimisers.
const MOMENTUM: f32 = 0.9;

/// The optimisers by name.
///
/// ```
/// use isobath::study::setting::OptimizerName;
///
/// assert_eq!(OptimizerName::AdamW.to_string(), "adamw");
/// assert_eq!(serde_json::from_str::<OptimizerName>(r#""nesterov""#)?, OptimizerName::Nesterov);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerName {
    /// Plain gradient descent.
    Sgd,
    /// Heavy ball, factor 0.9.
    Momentum,
    /// Nesterov's, factor 0.9.
    Nesterov,
    /// Adam, betas 0.9 and 0.999, epsilon 1e-8.
    Adam,
    /// Adam with decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW,
}

impl fmt::Display for OptimizerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sgd => "sgd",
            Self::Momentum => "momentum",
            Self::Nesterov => "nesterov",
            Self::Adam => "adam",
            Self::AdamW => "adamw",
        })
    }
}

/// An optimiser with its rate.
///
/// ```
/// use isobath::net::update::Optimizer;
/// use isobath::study::setting::{OptimizerName, Setting};
///
/// let optimizer = Optimizer::Momentum { momentum: 0.9, nesterov: false };
/// let setting = Setting { name: OptimizerName::Momentum, optimizer, rate: 0.1 };
/// assert_eq!(setting.label(), "momentum 0.1");
/// ```
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
