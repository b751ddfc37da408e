//! The `pretrain` field of a network, checked and spelt out.

use super::check::{at_least_one, positive};
use super::network::{PretrainName, PretrainTable};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm};
use crate::pretrain::{Model, Pretraining};

/// Adam's rate where none is given.
const RATE: f32 = 0.001;

/// The probability that an autoencoder's input is set to 0, where none is given.
const NOISE: f32 = 0.25;

/// The pre-training of a network. Errors name the field, what was found and what is allowed.
pub(super) fn pretraining(table: &PretrainTable, network: &Architecture) -> Result<Pretraining, String> {
    if network.activation != Activation::Sigmoid {
        return Err(format!(
            "pretrain: the activation is {}; hidden layers of sigmoid alone can be pre-trained",
            network.activation
        ));
    }
    if network.norm != Norm::None || network.residual.is_some() {
        return Err("pretrain: networks without norm and residual alone can be pre-trained".to_owned());
    }
    if network.convolution.is_some() {
        return Err("pretrain: dense layers alone can be pre-trained, not convolutions".to_owned());
    }
    at_least_one("pretrain.steps", table.steps)?;
    let rate = table.rate.unwrap_or(RATE);
    positive("pretrain.rate", rate)?;
    let belongs_to = |field: &str, model: &str| {
        Err(format!("pretrain.{field} is of kind \"{model}\" alone; it must be left out here"))
    };
    let model = match table.kind {
        PretrainName::Autoencoder => {
            if table.gibbs_steps.is_some() {
                return belongs_to("gibbs_steps", "rbm");
            }
            if table.persistent.is_some() {
                return belongs_to("persistent", "rbm");
            }
            let noise = table.noise.unwrap_or(NOISE);
            if !(0.0..1.0).contains(&noise) {
                return Err(format!("pretrain.noise is {noise}; it must be at least 0 and below 1"));
            }
            Model::Autoencoder { noise }
        }
        PretrainName::Rbm => {
            if table.noise.is_some() {
                return belongs_to("noise", "autoencoder");
            }
            let gibbs_steps = table.gibbs_steps.unwrap_or(1);
            at_least_one("pretrain.gibbs_steps", gibbs_steps)?;
            Model::Rbm { gibbs_steps, persistent: table.persistent.unwrap_or(false) }
        }
    };
    Ok(Pretraining { model, steps: table.steps, rate, shuffled: table.shuffled })
}
