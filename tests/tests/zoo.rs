//! The zoo's simulated truth against closed forms: factors, saturation, ranks, correlations, faults.

use isobath::diagnose::{Norm, Record};
use isobath::zoo::{Ensemble, Fault, Input, Phi, Seen, Weights, population};

const HE: Ensemble = Ensemble {
    phi: Phi::Relu,
    weights: Weights::Gaussian,
    weight_variance: 2.0,
    bias_variance: 0.0,
    depth: 5,
    width: 200,
    batch: 1,
    input: Input::Gaussian(1.0),
    loss: false,
    fault: None,
};

fn run(ensemble: Ensemble, nets: u64) -> Vec<Seen> {
    (0..nets).map(|net| ensemble.run(net, true)).collect()
}

fn mean(seen: &[Seen], figure: impl Fn(&Seen) -> f64) -> f64 {
    seen.iter().map(figure).sum::<f64>() / seen.len() as f64
}

/// The mean of the squared gain per factor.
fn gain(seen: &[Seen], factors: i32) -> f64 {
    mean(seen, |seen| 10f64.powf(2.0 * seen.record.decades().unwrap())).powf(1.0 / f64::from(factors))
}

#[test]
fn gains_are_s_w_squared_times_the_mean_square_slope() {
    // E phi'^2 is 1/2 for ReLU, .52 for a leak of .2, whatever the distribution of the weights; orthogonal matrices keep
    // norms exactly.
    for (ensemble, expected) in [
        (HE, 1.0),
        (Ensemble { weights: Weights::Uniform, weight_variance: 1.0 / 3.0, ..HE }, 1.0 / 6.0),
        (Ensemble { phi: Phi::Leaky, weight_variance: 1.0, ..HE }, 0.52),
        (Ensemble { weights: Weights::Orthogonal, width: 60, ..HE }, 1.0),
        (Ensemble { loss: true, ..HE }, 1.0),
        (Ensemble { input: Input::Glyphs, ..HE }, 1.0),
    ] {
        let found = gain(&run(ensemble, 48), 4);
        assert!((found / expected - 1.0).abs() < 0.06, "{ensemble}: {found} and {expected}");
    }
    // Batch norm before ReLU: pi / (pi - 1) per layer (Yang et al. 2019), for large batches.
    let pi = core::f64::consts::PI;
    let found = gain(&run(Ensemble { batch: 200, width: 100, depth: 4, ..HE }, 4), 3);
    assert!((found / (pi / (pi - 1.0)) - 1.0).abs() < 0.05, "{found}");
}

#[test]
fn correlations_follow_the_arc_cosine_kernel() {
    // Cho and Saul 2009: c' = (sin t + (pi - t) cos t) / pi, and gradients keep the share 1 - t / pi per layer.
    let (mut cosine, mut expected) = (0.9_f64, 1.0);
    for _ in 0..5 {
        let angle = cosine.acos();
        cosine = (angle.sin() + (core::f64::consts::PI - angle) * cosine) / core::f64::consts::PI;
        expected *= 1.0 - angle / core::f64::consts::PI;
    }
    let found = mean(&run(HE, 24), |seen| seen.survey.as_ref().unwrap().correlation.unwrap());
    assert!((found - expected).abs() < 0.02, "{found} and {expected}");
}

#[test]
fn most_units_are_flat_under_large_biases() {
    // h is normal with variance s_w^2 + s_b^2 or a little less, and tanh' is below 1 % beyond arcosh 10 = 2.993.
    let ensemble = Ensemble { phi: Phi::Tanh, weight_variance: 1.0, bias_variance: 400.0, ..HE };
    let found = mean(&run(ensemble, 6), |seen| seen.survey.as_ref().unwrap().saturated);
    // P(|z| > 2.993 / 20) = 0.881.
    assert!((found - 0.881).abs() < 0.01, "{found}");
}

#[test]
fn faults_do_what_they_are_called() {
    let with = |phi, fault| run(Ensemble { phi, width: 60, fault: Some((3, fault)), ..HE }, 4);
    let ranks = |seen: &Seen| seen.survey.as_ref().unwrap().ranks.clone();
    for seen in with(Phi::Tanh, Fault::Alike(1)) {
        let ranks = ranks(&seen);
        assert!(ranks.len() == 6 && ranks[2] > 6.0 && (ranks[3] - 1.0).abs() < 1e-9, "{ranks:?}");
    }
    for seen in with(Phi::Tanh, Fault::Alike(2)) {
        assert!((1.0..=2.0).contains(&ranks(&seen)[3]), "{:?}", ranks(&seen));
    }
    let (sound, halved) = (with(Phi::Relu, Fault::Scaled(1.0)), with(Phi::Relu, Fault::Halved));
    let weights = |seen: &Seen| seen.record.layers[2].w.log10().unwrap();
    let ratio = 10f64.powf(mean(&halved, weights) - mean(&sound, weights));
    assert!((ratio - 0.5f64.sqrt()).abs() < 0.02, "{ratio}");
    let scaled = with(Phi::Relu, Fault::Scaled(10.0));
    for (scaled, sound) in scaled.iter().zip(&sound) {
        // ReLU's slopes do not change, so exactly a decade more.
        assert!((scaled.record.decades().unwrap() - sound.record.decades().unwrap() - 1.0).abs() < 1e-9);
    }
    for fault in [Fault::Silent, Fault::Shifted(-30.0)] {
        assert!(with(Phi::Relu, fault).iter().all(|seen| seen.is_dead && seen.is_finite), "{fault:?}");
    }
    let mute = run(Ensemble { batch: 16, width: 20, fault: Some((2, Fault::Mute)), ..HE }, 2);
    assert!(mute.iter().all(|seen| seen.is_dead));
    let broken = with(Phi::Relu, Fault::Broken);
    assert!(broken.iter().all(|seen| !seen.is_finite));
}

#[test]
fn weight_gradients_of_one_sample_are_outer_products() {
    let seen = HE.run(7, false);
    let Record { layers, .. } = &seen.record;
    for layer in layers {
        let sum = layer.x.log10().unwrap() + layer.delta.log10().unwrap();
        assert!((layer.gw.log10().unwrap() - sum).abs() < 1e-9);
    }
    // W has norm sqrt(s_w^2 n).
    assert!(layers.iter().all(|layer| matches!(layer.w, Norm::Log10(w) if (w - 20f64.log10()).abs() < 0.02)));
}

#[test]
fn populations_follow_from_their_seed() {
    assert_eq!(population(40, 9), population(64, 9)[..40]);
    assert_ne!(population(40, 9), population(40, 10));
    for ensemble in population(800, 4) {
        assert!((16..=512).contains(&ensemble.width) && (4..=200).contains(&ensemble.depth), "{ensemble}");
        if let Some((layer, _)) = ensemble.fault {
            assert!((1..=ensemble.depth).contains(&layer), "{ensemble}");
        }
    }
}
