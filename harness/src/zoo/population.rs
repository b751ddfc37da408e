//! Which animals there are: ensembles drawn so that every class of network is there often, half of them near the edge
//! between vanishing and exploding.
//!
//! A drawing aims at a class, and the simulation says what it hit.

use super::ensemble::{Ensemble, Fault, Input, Phi, Weights};
use super::generator::Generator;

/// Weights of a network, at most: what keeps a simulation to seconds.
const MOST_WEIGHTS: usize = 1 << 20;
/// And of one whose weights are made orthogonal, times its width.
const MOST_ORTHOGONAL: usize = 1 << 23;

/// `count` ensembles of a seed.
///
/// ```
/// use isobath::zoo::population;
///
/// // A seed always gives the same animals; every eighth is aimed at the same class, the seventh at a local defect.
/// let animals = population(16, 7);
/// assert_eq!(animals, population(16, 7));
/// assert!(animals[6].fault.is_some() && animals[14].fault.is_some());
/// ```
pub fn population(count: usize, seed: u64) -> Vec<Ensemble> {
    (0..count).map(|i| ensemble(i, &mut Generator::new(seed, i as u64))).collect()
}

/// Ensemble number `i`, aimed at class i mod 8.
fn ensemble(i: usize, choice: &mut Generator) -> Ensemble {
    let near = (i / 8).is_multiple_of(2);
    match i % 8 {
        0 => by_chi(choice, if near { (0.8, 0.95) } else { (0.1, 0.9) }),
        1 => by_chi(choice, if near { (1.1, 1.25) } else { (1.15, 3.0) }),
        2 => dead(choice),
        3 => saturated(choice),
        4 => alike(choice),
        5 => shattered(choice),
        6 => defect(choice),
        _ => healthy(choice),
    }
}

/// 1 / E phi'^2, by which s_w^2 gives about chi.
fn critical(phi: Phi) -> f64 {
    match phi {
        Phi::Relu => 2.0,
        Phi::Leaky => 1.923,
        Phi::Elu => 1.5,
        Phi::Tanh => 1.2,
        Phi::Sigmoid => 17.0,
    }
}

/// A sound network of width and depth within bounds, with chi near `chi`.
fn plain(
    choice: &mut Generator,
    phis: &[Phi],
    chi: f64,
    depth: (usize, usize),
    width: (usize, usize),
) -> Ensemble {
    let phi = choice.of(phis);
    let depth = choice.size(depth.0, depth.1);
    let most = ((MOST_WEIGHTS / depth) as f64).sqrt() as usize;
    let width = choice.size(width.0, width.1.min(most).max(width.0));
    let weights = choice.of(&[Weights::Gaussian, Weights::Gaussian, Weights::Uniform, Weights::Orthogonal]);
    let weights = if depth * width.pow(3) > MOST_ORTHOGONAL { Weights::Gaussian } else { weights };
    Ensemble {
        phi,
        weights,
        weight_variance: chi * critical(phi),
        bias_variance: if phi.is_homogeneous() { 0.0 } else { choice.of(&[0.0, 0.05]) },
        depth,
        width,
        batch: 1,
        input: choice.of(&[Input::Gaussian(1.0), Input::Gaussian(0.5), Input::Glyphs]),
        loss: choice.uniform() < 0.5,
        fault: None,
    }
}

/// Deep enough, by the drawing's own chi, to lose or gain two decades or so.
fn by_chi(choice: &mut Generator, (low, high): (f64, f64)) -> Ensemble {
    let chi = choice.between(low, high);
    // Decades per layer of the norm are half those of chi.
    let needed = (choice.between(1.6, 6.0) * 2.0 / chi.log10().abs()).ceil() as usize;
    let depth = needed.clamp(4, 200);
    let phis: &[Phi] = if chi < 1.0 {
        &[Phi::Relu, Phi::Leaky, Phi::Tanh, Phi::Sigmoid, Phi::Elu]
    } else {
        &[Phi::Relu, Phi::Leaky, Phi::Tanh]
    };
    // Narrow layers lose what large weights gain: half a decade where there are as many layers as units.
    let least = if chi > 1.0 { (depth * 2 / 3).max(16) } else { 16 };
    let ensemble = plain(choice, phis, chi, (depth, depth), (least, 512));
    // A sigmoid's slope is a quarter at most: without large weights it vanishes at any chi that is aimed at.
    let weight_variance = if ensemble.phi == Phi::Sigmoid { chi } else { ensemble.weight_variance };
    // tanh must be far in the chaotic phase to explode.
    let weight_variance =
        if ensemble.phi == Phi::Tanh && chi > 1.0 { 1.0 + 4.0 * (chi - 0.9) } else { weight_variance };
    Ensemble { weight_variance, ..ensemble }
}

fn any_layer(choice: &mut Generator, depth: usize) -> usize {
    choice.of(&[1, 2, depth / 3, depth / 2, depth - 1, depth]).max(1)
}

fn dead(choice: &mut Generator) -> Ensemble {
    let (phi, fault) = choice.of(&[
        (Phi::Relu, Fault::Silent),
        (Phi::Tanh, Fault::Silent),
        (Phi::Relu, Fault::Shifted(-30.0)),
        (Phi::Relu, Fault::Mute),
        (Phi::Tanh, Fault::Mute),
    ]);
    let depth = (6, 40);
    let ensemble = plain(choice, &[phi], 1.0, depth, if fault == Fault::Mute { (16, 32) } else { (16, 128) });
    let layer = any_layer(choice, ensemble.depth);
    let batch = if fault == Fault::Mute { 32 } else { 1 };
    let depth = if fault == Fault::Mute { ensemble.depth.min(12) } else { ensemble.depth };
    Ensemble { bias_variance: 0.0, batch, depth, fault: Some((layer.min(depth), fault)), ..ensemble }
}

/// Biases so large that most units sit where the activation is flat.
fn saturated(choice: &mut Generator) -> Ensemble {
    let ensemble = plain(choice, &[Phi::Tanh, Phi::Sigmoid], 1.0, (4, 40), (16, 256));
    let bias_variance = match ensemble.phi {
        Phi::Tanh => choice.between(60.0, 600.0),
        _ => choice.between(250.0, 2000.0),
    };
    Ensemble { bias_variance, weight_variance: choice.between(0.5, 2.0), ..ensemble }
}

/// One layer has but one or two different units.
fn alike(choice: &mut Generator) -> Ensemble {
    // Two ReLUs would be off together for a quarter of the inputs, which is another illness.
    let phi = choice.of(&[Phi::Tanh, Phi::Elu, Phi::Leaky]);
    let units = choice.of(&[1, 2]);
    // Rectifiers lose rank with every layer, and have none left to lose at once when they are deep or narrow.
    let ensemble = plain(choice, &[phi], 1.0, (4, if phi.is_homogeneous() { 7 } else { 14 }), (40, 160));
    let layer = any_layer(choice, ensemble.depth);
    Ensemble { bias_variance: 0.0, fault: Some((layer, Fault::Alike(units))), ..ensemble }
}

/// Deep rectifiers: their norms are sound, and neighbouring inputs' gradients drift apart.
fn shattered(choice: &mut Generator) -> Ensemble {
    let phi = choice.of(&[Phi::Relu, Phi::Relu, Phi::Leaky]);
    let depth = if phi == Phi::Relu { choice.size(34, 56) } else { choice.size(64, 72) };
    let least = depth * 5 / 2;
    let ensemble = plain(choice, &[phi], 1.0, (depth, depth), (least, 512));
    let input = Input::Gaussian(choice.between(0.3, 3.0));
    Ensemble { input, weights: Weights::Gaussian, ..ensemble }
}

/// One layer's weights, biases or units are wrong; or, as a decoy, only seem so under batch norm.
fn defect(choice: &mut Generator) -> Ensemble {
    let factor = if choice.uniform() < 0.5 { choice.between(0.1, 0.45) } else { choice.between(2.2, 10.0) };
    let phi = choice.of(&[Phi::Relu, Phi::Leaky, Phi::Tanh, Phi::Elu, Phi::Sigmoid]);
    let smooth = matches!(phi, Phi::Tanh | Phi::Elu | Phi::Sigmoid);
    let fault = match choice.uniform() {
        chance if chance < 0.6 => Fault::Scaled(factor),
        chance if chance < 0.8 && smooth => Fault::Shifted(-5.0),
        _ => Fault::Halved,
    };
    let chi = if phi == Phi::Sigmoid { 1.0 / critical(phi) } else { choice.between(0.9, 1.1) };
    let ensemble = plain(choice, &[phi], chi, (8, 40), (24, 128));
    let layer = any_layer(choice, ensemble.depth);
    // Half a last layer changes nothing that is measured below it.
    let layer = if fault == Fault::Halved { layer.min(ensemble.depth - 1) } else { layer };
    Ensemble { fault: Some((layer, fault)), ..ensemble }
}

fn healthy(choice: &mut Generator) -> Ensemble {
    if choice.uniform() < 0.25 {
        // The decoy: batch norm does not mind the size of a layer's weights.
        let ensemble = plain(choice, &[Phi::Tanh, Phi::Elu], 1.0, (4, 8), (24, 48));
        let layer = any_layer(choice, ensemble.depth);
        let fault = Fault::Scaled(choice.of(&[0.1, 0.2, 5.0, 10.0]));
        return Ensemble { batch: 32, fault: Some((layer, fault)), ..ensemble };
    }
    let chi = choice.between(0.97, 1.02);
    plain(choice, &[Phi::Relu, Phi::Leaky, Phi::Elu, Phi::Relu], chi, (4, 10), (32, 512))
}
