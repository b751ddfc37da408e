//! From a [`Setup`] back to a command that a user can run.

use std::fmt::Write as _;

use super::probe_values::{INVERSE_ROOT_DEPTH, inverse_root};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm, NormPosition, Residual};
use crate::data::Source;
use crate::init::{Family, Init, WeightVariance};
use crate::probe::{Cotangent, NORM_BATCH, Setup};

/// `isobath probe` with the flags that describe `setup`; what is at its default is left out.
pub(super) fn probe_command(setup: &Setup, source: Option<&Source>) -> String {
    let Architecture { depth, width, activation, init, norm, norm_position, residual, scale_layer, cell: _ } =
        setup.architecture;
    let mut command = String::from("isobath probe");
    // Writing to a string cannot fail.
    let mut add = |flag: &str, value: &dyn std::fmt::Display| {
        let _ = write!(command, " {flag} {value}");
    };
    if depth != 30 {
        add("--depth", &depth);
    }
    if width != 64 {
        add("--width", &width);
    }
    if let Some(source) = source {
        add("--data", &quoted(&source.to_string()));
    } else if setup.input_width != width {
        add("--input-width", &setup.input_width);
    }
    if activation != Activation::Sigmoid {
        add("--activation", &activation);
    }
    for (flag, value) in init_flags(&init) {
        add(flag, &value);
    }
    match norm {
        Norm::None => {}
        Norm::Batch => add("--norm", &"batch"),
        Norm::Layer => add("--norm", &"layer"),
    }
    if norm != Norm::None && norm_position == NormPosition::Post {
        add("--norm-position", &"post");
    }
    if let Some(Residual { scale, layers, last_is_linear }) = residual {
        add("--residual", &"identity");
        if scale == inverse_root(depth) && depth > 1 {
            add("--branch-scale", &format!("'{INVERSE_ROOT_DEPTH}'"));
        } else if scale != 1.0 {
            add("--branch-scale", &scale);
        }
        if layers != 2 {
            add("--branch-layers", &layers);
        }
        if last_is_linear != (layers >= 2) {
            add("--branch-last", &if last_is_linear { "linear" } else { "activation" });
        }
    }
    if let Some((layer, factor)) = scale_layer {
        add("--scale-layer", &format!("{layer}:{factor}"));
    }
    if setup.batch != (if norm == Norm::Batch { NORM_BATCH } else { 1 }) {
        add("--batch", &setup.batch);
    }
    if setup.nets != 8 {
        add("--nets", &setup.nets);
    }
    if setup.cotangent == Cotangent::Loss {
        add("--cotangent", &"loss");
    }
    if let Some(rho) = setup.pair_correlation {
        add("--pair-correlation", &rho);
    }
    if setup.seed != 1 {
        add("--seed", &setup.seed);
    }
    command
}

/// The flags of an initialiser.
pub(super) fn init_flags(init: &Init) -> Vec<(&'static str, String)> {
    let named = [
        (Init::HE, "he"),
        (Init::UNIFORM, "uniform"),
        (Init::ORTHOGONAL, "orthogonal"),
        (Init::ARTICLE, "article"),
    ];
    if let Some((_, name)) = named.iter().find(|(named, _)| named == init) {
        return vec![("--init", (*name).to_owned())];
    }
    let mut flags = Vec::new();
    match init.family {
        Family::Gaussian => {}
        Family::Uniform => flags.push(("--init", "uniform".to_owned())),
        Family::Orthogonal => flags.push(("--init", "orthogonal".to_owned())),
    }
    if let WeightVariance::Fixed(variance) = init.weight_variance {
        flags.push(("--weight-var", variance.to_string()));
    }
    if init.bias_variance != 0.0 {
        flags.push(("--bias-var", init.bias_variance.to_string()));
    }
    flags
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
