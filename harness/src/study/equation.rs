//! What a remedy does, as equations: one for each thing in which a row differs from the untreated network.
//!
//! Letters: h pre-activation, x signal, W weights (n inputs, m units), w one weight, w_j the incoming weights of a unit, g
//! gradient, eta learning rate, t step of T, L loss. An arrow is an assignment in every step.

use core::fmt::{Display, LowerExp};

use super::contestant::Contestant;
use crate::activation::Activation;
use crate::architecture::{Convolutional, Norm, NormPosition, Recurrence, Residual};
use crate::init::{Family, Init, WeightVariance};
use crate::net::update::{Clipping, Penalty};
use crate::net::{Cell, ForgetBias};
use crate::pretrain::{Model, Pretraining};
use crate::train::{Loss, Schedule};

/// A number in as many digits as it has, with a power of ten where it would be long: `0.25`, `1e30`.
fn number<N: Copy + Display + LowerExp + Into<f64>>(value: N) -> String {
    let size: f64 = value.into().abs();
    // Below 0.001, with room for what rounding to f32 has taken from it.
    if size == 0.0 || (9e-4..1e6).contains(&size) { value.to_string() } else { format!("{value:e}") }
}

/// The equations of what `row` has and `sick` has not.
pub(super) fn equations(sick: &Contestant, row: &Contestant) -> Vec<String> {
    let (before, after) = (&sick.architecture, &row.architecture);
    let mut found = Vec::new();
    let mut add = |differs: bool, equation: Option<String>| found.extend(equation.filter(|_| differs));
    add(before.activation != after.activation, Some(activation(after.activation)));
    add(before.init != after.init, Some(initialiser(after.init)));
    let place = |norm, position| (norm != Norm::None).then_some((norm, position));
    let (was, is) = (place(before.norm, before.norm_position), place(after.norm, after.norm_position));
    add(was != is, is.map(|(norm, position)| normalisation(norm, position)));
    let standardised = "Ŵ = g (W − μ)/√(n σ²) in the place of W, μ and σ² of a unit's weights, g learned";
    add(before.standardised != after.standardised, after.standardised.then(|| standardised.to_owned()));
    let kind = if after.convolution.is_some() { "convolution" } else { "dense layer" };
    add(before.residual != after.residual, after.residual.map(|residual| branch(residual, kind)));
    add(before.convolution != after.convolution, after.convolution.map(convolution));
    add(before.cell != after.cell, after.cell.map(recurrence));
    add(sick.pretraining != row.pretraining, row.pretraining.map(pretraining));
    add(sick.loss != row.loss, Some(loss(row.loss)));
    add(sick.clipping != row.clipping, clipping(row.clipping));
    add(sick.penalty != row.penalty, penalty(row.penalty));
    let (was, is) = (sick.restraint, row.restraint);
    add(was.decay != is.decay, Some(format!("w ← w (1 − η λ) beside the step, λ = {}", number(is.decay))));
    add(
        was.max_norm != is.max_norm,
        is.max_norm.map(|limit| format!("wⱼ ← wⱼ min(1, c/‖wⱼ‖) after the step, c = {}", number(limit))),
    );
    add(sick.schedule != row.schedule, row.schedule.map(schedule));
    let settings = row.settings.as_ref().map(|settings| format!("trained with {}", settings.join(" or ")));
    add(sick.settings != row.settings, settings);
    found
}

fn activation(function: Activation) -> String {
    let phi = match function {
        Activation::Identity => "h".to_owned(),
        Activation::Sigmoid => "1/(1 + e⁻ʰ)".to_owned(),
        Activation::Tanh => "tanh h".to_owned(),
        Activation::Relu => "max(h, 0)".to_owned(),
        Activation::Leaky(slope) => format!("h where h > 0, k h elsewhere, k = {}", number(slope)),
        Activation::Prelu(slope) => format!("h where h > 0, k h elsewhere, k learned from {}", number(slope)),
        Activation::Elu(alpha) => format!("h where h > 0, α (eʰ − 1) elsewhere, α = {}", number(alpha)),
        Activation::Selu => "1.0507 h where h > 0, 1.7581 (eʰ − 1) elsewhere".to_owned(),
        Activation::Gelu => "h Φ(h), Φ the normal distribution function".to_owned(),
        Activation::GeluTanh => "½ h (1 + tanh(√(2/π) (h + 0.044715 h³)))".to_owned(),
        Activation::Silu => "h/(1 + e⁻ʰ)".to_owned(),
        Activation::Softplus => "ln(1 + eʰ)".to_owned(),
    };
    format!("φ(h) = {phi}")
}

fn initialiser(init: Init) -> String {
    let variance = match init.weight_variance {
        WeightVariance::Fixed(variance) => format!("{}/n", number(variance)),
        WeightVariance::Glorot => "2/(n + m)".to_owned(),
        WeightVariance::Data => {
            return "W ← W/√Var(h) once per layer, from the input on; WᵀW = 1 before".to_owned();
        }
    };
    let weights = match init.family {
        Family::Gaussian => format!("w ~ N(0, {variance})"),
        Family::Uniform => format!("w ~ U(−a, a), a² = 3 · {variance}"),
        Family::Orthogonal => format!("WᵀW ∝ 1, Var w = {variance}"),
    };
    match init.bias_variance {
        0.0 => weights,
        variance => format!("{weights}, b ~ N(0, {})", number(variance)),
    }
}

fn normalisation(norm: Norm, position: NormPosition) -> String {
    let over = if norm == Norm::Batch { "of a unit over the batch" } else { "of a sample over the layer" };
    let (letter, place) = match position {
        NormPosition::Pre => ("h", "before φ"),
        NormPosition::Post => ("x", "after φ"),
    };
    format!("{letter} ← γ ({letter} − μ)/√(σ² + ε) + β {place}, μ and σ² {over}")
}

/// Branches of layers of this kind.
fn branch(residual: Residual, kind: &str) -> String {
    let Residual { scale, layers, last_is_zero, scale_is_learned, activated_sum, .. } = residual;
    let sum = match (scale_is_learned, scale) {
        (true, _) => "x + a f(x)",
        (false, 1.0) => "x + f(x)",
        (false, _) => "x + s f(x)",
    };
    let mut text = if activated_sum { format!("x ← φ({sum})") } else { format!("x ← {sum}") };
    text += &format!(", f of {layers} {kind}{}", if layers == 1 { "" } else { "s" });
    if scale_is_learned {
        text += &format!(", a learned from {}", number(scale));
    } else if scale != 1.0 {
        // Three digits of it, such as 0.183 for 1/sqrt(30).
        let rounded: f64 = format!("{scale:.2e}").parse().unwrap_or(f64::from(scale));
        text += &format!(", s = {}", number(rounded));
    }
    if last_is_zero {
        text += ", whose last W is 0 at the start";
    }
    text
}

fn convolution(of: Convolutional) -> String {
    let k = of.kernel;
    format!("h at a pixel = Σ over the {k} × {k} pixels about it of x W, the same W everywhere, + b")
}

fn recurrence(of: Recurrence) -> String {
    let mut text = match of.cell {
        Cell::Lstm => "c ← σ(f) c + σ(i) tanh(g), h ← σ(o) tanh c; f, i, g, o = x W + h U + b".to_owned(),
        Cell::Gru => "h ← σ(z) h + (1 − σ(z)) tanh(x W + b + σ(r) h U); z, r = x W + h U + b".to_owned(),
        Cell::Rnn(_) => "h ← φ(x W + h U + b)".to_owned(),
    };
    if of.cell == Cell::Lstm {
        text += &match of.forget_bias {
            ForgetBias::Fixed(bias) => format!("; b of f = {}", number(bias)),
            ForgetBias::Chrono => "; b of f ~ ln U(1, T − 1), that of i its negative".to_owned(),
        };
    }
    if let Some(limit) = of.clip {
        text += &format!("; on the way back δ ← δ min(1, c/‖δ‖) at each step, c = {}", number(limit));
    }
    text
}

fn pretraining(pretraining: Pretraining) -> String {
    match pretraining.model {
        Model::Autoencoder { noise } => {
            format!("x ≈ σ(x̃ W + b) Wᵀ + a, layer by layer; x̃ is x with a fraction {} at 0", number(noise))
        }
        Model::Rbm { gibbs_steps, .. } => {
            format!(
                "W ← W + η (⟨xᵀ h⟩ of the data − ⟨xᵀ h⟩ after k Gibbs steps), layer by layer, k = {gibbs_steps}"
            )
        }
    }
}

fn loss(loss: Loss) -> String {
    match loss {
        Loss::CrossEntropy => "L = −ln p of the class, p = softmax(h)",
        Loss::SigmoidCrossEntropy => "L = Σ ln(1 + eʰ) − t h over the classes",
        Loss::Squared => "L = ½ Σ (σ(h) − t)² over the classes",
    }
    .to_owned()
}

fn clipping(clipping: Clipping) -> Option<String> {
    match clipping {
        Clipping::None => None,
        Clipping::Value { limit } => Some(format!("g ← max(−c, min(g, c)), c = {}", number(limit))),
        Clipping::GlobalNorm { max_norm } => {
            Some(format!("g ← g min(1, c/‖g‖), ‖g‖ over all parameters, c = {}", number(max_norm)))
        }
        Clipping::Adaptive { lambda } => {
            Some(format!("gⱼ ← gⱼ min(1, λ max(‖wⱼ‖, 10⁻³)/‖gⱼ‖) for each unit, λ = {}", number(lambda)))
        }
    }
}

fn penalty(penalty: Penalty) -> Option<String> {
    match penalty {
        Penalty::None => None,
        Penalty::L1 { lambda } => {
            Some(format!("L + λ Σ|w|, so g ← g + λ sign(w), sign(0) = 0, λ = {}", number(lambda)))
        }
        Penalty::L2 { lambda } => Some(format!("L + ½ λ Σw², so g ← g + λ w, λ = {}", number(lambda))),
    }
}

fn schedule(schedule: Schedule) -> String {
    match schedule {
        Schedule::Constant => "ηₜ = η",
        Schedule::Linear => "ηₜ = η (1 − t/T)",
        Schedule::WarmUp => "ηₜ = η min(1, (t + 1)/(T/10))",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::plan::{BUILT_IN, StudyPlan};

    /// Whatever a built-in study changes but depth, width and the number of steps has an equation.
    #[test]
    fn every_remedy_of_the_built_in_studies_has_an_equation() {
        for (name, text) in BUILT_IN {
            let plan = StudyPlan::parse(name, text, None, false).unwrap();
            for group in &plan.groups {
                let (sick, remedies) = group.rows.split_first().unwrap();
                assert!(equations(sick, sick).is_empty());
                for row in remedies {
                    let (before, after) = (sick.architecture, row.architecture);
                    let size = before.depth != after.depth || before.width != after.width;
                    let longer = sick.steps != row.steps;
                    let found = equations(sick, row);
                    assert!(!found.is_empty() || size || longer, "{name}, {}: {}", group.name, row.name);
                }
            }
        }
    }

    #[test]
    fn long_numbers_have_a_power_of_ten() {
        for (value, text) in [
            (0.0, "0"),
            (1.0 / 3.0, "0.3333333333333333"),
            (0.001, "0.001"),
            (1.5e-4, "1.5e-4"),
            (999_999.0, "999999"),
            (1e6, "1e6"),
            (-1e30, "-1e30"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!([0.1_f32, 0.001, 1e-30].map(number), ["0.1", "0.001", "1e-30"]);
        assert_eq!(initialiser(Init::gaussian(1e30, 1e-9)), "w ~ N(0, 1e30/n), b ~ N(0, 1e-9)");
        let scale = |scale| branch(Residual::new(scale, 1, false), "dense layer");
        assert_eq!(scale(0.182_574_2), "x ← x + s f(x), f of 1 dense layer, s = 0.183");
        assert_eq!(scale(1e-6), "x ← x + s f(x), f of 1 dense layer, s = 1e-6");
    }

    #[test]
    fn one_equation_for_each_difference() {
        let linear = StudyPlan::parse("remedies", BUILT_IN[0].1, None, false).unwrap().linear();
        let mut row = linear.clone();
        row.penalty = Penalty::L1 { lambda: 0.5 };
        row.restraint.max_norm = Some(2.0);
        row.architecture.residual =
            Some(Residual { scale_is_learned: true, activated_sum: true, ..Residual::new(0.0, 2, true) });
        let expected = [
            "x ← φ(x + a f(x)), f of 2 dense layers, a learned from 0",
            "L + λ Σ|w|, so g ← g + λ sign(w), sign(0) = 0, λ = 0.5",
            "wⱼ ← wⱼ min(1, c/‖wⱼ‖) after the step, c = 2",
        ];
        assert_eq!(equations(&linear, &row), expected);
    }
}
