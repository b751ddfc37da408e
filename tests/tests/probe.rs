//! Probes against published figures: rates, ratios beyond f32, places of planted defects, remedies, equal bits.

use isobath::activation::Activation;
use isobath::architecture::{Architecture, Norm, NormPosition, Residual};
use isobath::data::{Sizes, Source};
use isobath::init::{Init, WeightVariance};
use isobath::probe::{
    Cause, Cell, CellSetup, Cotangent, Extent, Kind, Report, Setup, measure, probe, probe_cell,
};
use isobath::theory::predict;
use isobath_kernels::Level;

const BARE: Setup = Setup {
    architecture: Architecture {
        depth: 30,
        width: 64,
        activation: Activation::Sigmoid,
        init: Init::XAVIER,
        norm: Norm::None,
        norm_position: NormPosition::Pre,
        residual: None,
        standardised: false,
        convolution: None,
        scale_layer: None,
        cell: None,
    },
    input_width: 64,
    batch: 1,
    nets: 8,
    cotangent: Cotangent::Gaussian,
    pair_correlation: None,
    jacobian: false,
    seed: 1,
};

/// The bare setup with another activation and initialiser.
fn plain(activation: Activation, init: Init) -> Setup {
    Setup { architecture: Architecture { activation, init, ..BARE.architecture }, ..BARE }
}

fn shaped(setup: Setup, depth: usize, width: usize) -> Setup {
    Setup { architecture: Architecture { depth, width, ..setup.architecture }, input_width: width, ..setup }
}

fn run(setup: &Setup) -> Report {
    probe(setup, None, Level::detect()).unwrap()
}

fn chi(report: &Report) -> f64 {
    report.figures.measured.chi.mean.unwrap()
}

fn decades(report: &Report) -> f64 {
    report.figures.measured.log10_delta_ratio.mean.unwrap()
}

#[test]
fn published_rates_are_measured() {
    for (activation, init, expected) in [
        (Activation::Sigmoid, Init::UNIFORM, 0.0200078),
        (Activation::Sigmoid, Init::XAVIER, 0.0557207),
        (Activation::Sigmoid, Init::ARTICLE, 0.0419597),
        (Activation::Tanh, Init::UNIFORM, 0.3146),
        (Activation::Tanh, Init::gaussian(1.0, 0.05), 0.7590316),
        (Activation::Tanh, Init::gaussian(1.760_954_6, 0.05), 1.0),
        (Activation::Tanh, Init::gaussian(2.5, 0.05), 1.1335157),
        (Activation::Relu, Init::UNIFORM, 1.0 / 6.0),
        (Activation::Relu, Init::XAVIER, 0.5),
        (Activation::Relu, Init::HE, 1.0),
        (Activation::Elu(1.0), Init::gaussian(1.55, 0.0), 1.0358566),
        (Activation::Selu, Init::LECUN, 1.0715750),
    ] {
        let setup = shaped(plain(activation, init), 20, 256);
        let theory = predict(&setup.question(None)).unwrap();
        let figures = measure(&setup, None, Level::detect(), &theory).unwrap();
        let found = figures.measured.chi.mean.unwrap();
        assert!((found / expected - 1.0).abs() < 0.03, "{activation} {init:?}: {found} for {expected}");
    }
}

#[test]
fn deep_sigmoid_loses_eighteen_decades_and_batch_norm_saves_it() {
    let report = run(&BARE);
    assert!((decades(&report) + 18.18).abs() < 0.3, "{}", decades(&report));
    assert_eq!(report.figures.measured.factors, 29);
    let verdict = report.verdict;
    assert_eq!((verdict.kind, verdict.extent, verdict.layer), (Kind::Vanishing, Some(Extent::Uniform), None));
    assert_eq!(verdict.cause, Some(Cause::Slope));
    let fix = report.fix.unwrap();
    assert_eq!(fix.remedy.setup.architecture.norm, Norm::Batch);
    assert!((0.97..1.05).contains(&fix.measured_factor.unwrap()));
    assert!((0.97..1.05).contains(&fix.predicted_factor.unwrap()));
}

#[test]
fn ratios_below_the_range_of_f32_are_figures() {
    let report = run(&shaped(BARE, 80, 64));
    assert!((decades(&report) + 49.5).abs() < 1.0, "{}", decades(&report));
    assert_eq!(report.figures.measured.zero_gradient_fraction, 0.0);
    assert!(report.figures.layers[0].log10_delta.unwrap() < -48.0);
}

#[test]
fn every_row_is_held_against_its_prediction() {
    let report = run(&BARE);
    let rows: Vec<_> = report.figures.layers.iter().filter_map(|row| row.hidden).collect();
    assert_eq!((report.figures.layers.len(), rows.len()), (31, 30));
    assert!(report.figures.layers[0].hidden.is_none());
    assert!(rows[29].factor.is_none() && rows[29].z.is_none());
    let squares: f64 = rows[..29].iter().map(|row| row.z.unwrap().powi(2)).sum();
    assert!((0.4..2.0).contains(&(squares / 29.0)), "mean squared z {}", squares / 29.0);
    for row in &rows[..29] {
        let (low, high) = row.band95.unwrap();
        assert!(low < row.predicted_factor.unwrap() && row.predicted_factor.unwrap() < high);
        let product = row.slope_rms.unwrap() * row.weight_gain.unwrap();
        assert!((product / row.factor.unwrap() - 1.0).abs() < 1e-12);
        assert!((row.slope_rms.unwrap() - 0.236).abs() < 0.01 && row.dead == 0.0);
    }
}

#[test]
fn relu_vanishes_although_its_weight_gradients_are_flat() {
    let report = run(&plain(Activation::Relu, Init::UNIFORM));
    assert_eq!((report.verdict.kind, report.verdict.cause), (Kind::Vanishing, Some(Cause::Weights)));
    assert!(decades(&report) < -10.0);
    assert!(report.figures.measured.log10_gw_ratio.mean.unwrap().abs() < 0.5);
    assert_eq!(report.fix.unwrap().remedy.setup.architecture.init, Init::HE);
}

#[test]
fn he_is_healthy() {
    let report = run(&plain(Activation::Relu, Init::HE));
    assert_eq!((report.verdict.kind, report.verdict.extent), (Kind::Healthy, None));
    assert!(report.fix.is_none());
    let saturated = report.figures.layers[5].hidden.unwrap().saturated;
    assert!((saturated - 0.5).abs() < 0.05, "the inactive half of ReLU: {saturated}");
}

#[test]
fn batch_norm_makes_relu_explode() {
    let plain = shaped(plain(Activation::Relu, Init::XAVIER), 12, 256);
    let architecture = Architecture { norm: Norm::Batch, ..plain.architecture };
    let report = run(&Setup { architecture, batch: 128, nets: 3, ..plain });
    assert!((chi(&report) / 1.4753 - 1.0).abs() < 0.03, "{}", chi(&report));
    let sick = run(&Setup {
        architecture: Architecture { depth: 16, width: 64, ..architecture },
        input_width: 64,
        batch: 128,
        ..plain
    });
    assert_eq!((sick.verdict.kind, sick.verdict.cause), (Kind::Exploding, Some(Cause::Normalisation)));
    let fix = sick.fix.unwrap();
    assert_eq!(
        (fix.remedy.setup.architecture.norm, fix.remedy.setup.architecture.init),
        (Norm::None, Init::HE)
    );
    assert!((0.95..1.05).contains(&fix.measured_factor.unwrap()));
}

#[test]
fn residual_blocks_double_the_squared_norm_and_scaling_them_helps() {
    let he = shaped(plain(Activation::Relu, Init::HE), 20, 128);
    let residual = Some(Residual::new(1.0, 2, true));
    let report = run(&Setup { architecture: Architecture { residual, ..he.architecture }, ..he });
    assert!((chi(&report) / 2.0 - 1.0).abs() < 0.03, "{}", chi(&report));
    assert_eq!(report.figures.measured.factors, 20);
    assert_eq!((report.verdict.kind, report.verdict.cause), (Kind::Exploding, Some(Cause::Branches)));
    let fix = report.fix.unwrap();
    let scale = fix.remedy.setup.architecture.residual.unwrap().scale;
    assert!((f64::from(scale) - 1.0 / 20f64.sqrt()).abs() < 1e-6);
    assert!((fix.measured_factor.unwrap() / 1.05f64.sqrt() - 1.0).abs() < 0.01);
}

#[test]
fn planted_defects_are_found_where_they_are() {
    let critical = Init::gaussian(1.760_954_6, 0.05);
    for (activation, init) in [
        (Activation::Relu, Init::HE),
        (Activation::Relu, Init::UNIFORM),
        (Activation::Tanh, critical),
        (Activation::Sigmoid, Init::XAVIER),
    ] {
        for (layer, factor) in [(1, 8.0), (2, 0.1), (9, 4.0), (15, 0.25), (20, 20.0)] {
            let sound = shaped(plain(activation, init), 20, 64);
            let architecture = Architecture { scale_layer: Some((layer, factor)), ..sound.architecture };
            let report = run(&Setup { architecture, ..sound });
            assert_eq!(report.verdict.layer, Some(layer), "{activation} {init:?} {layer}:{factor}");
            let excess = report.verdict.excess.unwrap() / f64::from(factor);
            assert!((0.75..1.33).contains(&excess), "{activation} {layer}:{factor}: {excess}");
            assert_eq!(report.fix.unwrap().remedy.setup.architecture.scale_layer, None);
        }
    }
}

#[test]
fn sound_networks_have_no_defect() {
    for seed in 0..6 {
        for (setup, nets) in
            [(BARE, 1), (plain(Activation::Relu, Init::HE), 2), (plain(Activation::Tanh, Init::LECUN), 8)]
        {
            let report = run(&Setup { seed, nets, ..setup });
            assert_eq!(report.verdict.layer, None, "seed {seed}");
        }
    }
}

#[test]
fn narrow_relu_networks_are_born_dead() {
    for (width, depth, expected) in [(2, 4, 0.6836), (3, 8, 0.6564)] {
        let narrow = shaped(plain(Activation::Relu, Init::HE), depth, width);
        let report = run(&Setup { nets: 2000, ..narrow });
        let found = report.figures.measured.zero_gradient_fraction;
        assert!((found - expected).abs() < 0.035, "{found} for {expected}");
        assert_eq!((report.verdict.kind, report.verdict.cause), (Kind::Dead, Some(Cause::DeadUnits)));
    }
    let he = plain(Activation::Relu, Init::HE);
    let architecture = Architecture { scale_layer: Some((4, 0.0)), ..he.architecture };
    let report = run(&Setup { architecture, ..he });
    assert_eq!((report.verdict.kind, report.verdict.layer), (Kind::Dead, Some(4)));
}

/// Signals beyond f32 are figures like any other. Over L - 1 layers of n ReLUs ln of the squared gradient ratio has the
/// mean (L - 1) (ln(s_w^2 / 2) - 5 / (2 n)) and the variance 5 (L - 1) / n, and so has that of the squared signal.
#[test]
fn signals_that_leave_f32_are_results() {
    const NETS: f64 = 64.0;
    for (weight_variance, depth, kind) in
        [(2e4, 30, Kind::Exploding), (2e4, 200, Kind::Exploding), (1.0 / 3.0, 150, Kind::Vanishing)]
    {
        let width = 32.0;
        let init = Init::gaussian(weight_variance, 0.0);
        let setup = shaped(plain(Activation::Relu, init), depth, width as usize);
        let report = run(&Setup { nets: NETS as usize, ..setup });
        let layers = (depth - 1) as f64;
        let mean = layers * ((f64::from(weight_variance) / 2.0).ln() - 2.5 / width);
        // Four standard errors, and the terms of order 1 / n^2 that the mean leaves out.
        let tolerance = 4.0 * (5.0 * layers / width / NETS).sqrt() + 5.0 * layers / width.powi(2);
        let ln_gain = report.figures.measured.log_gain.mean.unwrap();
        assert!((ln_gain - mean).abs() < tolerance, "{ln_gain} for {mean} +- {tolerance}");
        let x = |layer: usize| report.figures.layers[layer].hidden.unwrap().log10_x_rms.unwrap();
        let ln_signal = 2.0 * std::f64::consts::LN_10 * (x(depth) - x(1));
        assert!((ln_signal - mean).abs() < tolerance, "{ln_signal} for {mean} +- {tolerance}");
        assert_eq!(report.figures.measured.zero_gradient_fraction, 0.0);
        assert_eq!((report.verdict.kind, report.verdict.cause), (kind, Some(Cause::Weights)));
        assert!(report.fix.is_some());
    }
}

/// Only what f32 cannot even hold by itself is an overflow.
#[test]
fn values_that_are_none_are_an_overflow() {
    let he = plain(Activation::Relu, Init::HE);
    let architecture = Architecture { scale_layer: Some((4, 3e38)), ..he.architecture };
    let report = run(&Setup { architecture, ..he });
    assert_eq!((report.verdict.kind, report.verdict.layer), (Kind::Exploding, Some(4)));
    assert_eq!(report.verdict.cause, Some(Cause::Overflow));
    // Outputs beyond f32 have no softmax.
    let steep = Setup {
        cotangent: Cotangent::Loss,
        ..shaped(plain(Activation::Relu, Init::gaussian(2e4, 0.0)), 30, 32)
    };
    assert_eq!(run(&steep).verdict.cause, Some(Cause::Overflow));
}

#[test]
fn the_loss_sends_the_same_gradient_down_on_data() {
    let sizes = Sizes { train: 128, validation: 1, test: 1 };
    let data = Source::Glyphs.load(&sizes, 7).unwrap().train;
    let setup = Setup { input_width: data.features(), batch: 16, cotangent: Cotangent::Loss, ..BARE };
    let report = probe(&setup, Some(&data), Level::detect()).unwrap();
    assert!((decades(&report) + 18.2).abs() < 0.5, "{}", decades(&report));
    let narrow = Setup { input_width: 10, ..setup };
    assert!(probe(&narrow, Some(&data), Level::detect()).is_err());
}

#[test]
fn one_network_has_no_spread() {
    let measured = run(&Setup { nets: 1, ..BARE }).figures.measured;
    assert_eq!((measured.chi.ci95, measured.log_gain.var), (None, None));
    assert!(measured.chi.mean.is_some());
}

#[test]
fn threads_and_levels_do_not_show() {
    let norm = Architecture { norm: Norm::Layer, activation: Activation::Tanh, ..BARE.architecture };
    let branch = Residual::new(0.5, 2, false);
    let residual = Architecture { residual: Some(branch), activation: Activation::Gelu, ..BARE.architecture };
    let selu = Architecture { activation: Activation::Selu, ..BARE.architecture };
    for architecture in [selu, norm, residual] {
        // So shallow that nothing is sick and no remedy has to be run.
        let architecture = Architecture { depth: 3, width: 40, ..architecture };
        let setup = Setup { architecture, input_width: 24, batch: 9, nets: 3, ..BARE };
        let hash = |level: Level, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| probe(&setup, None, level)).unwrap().figures.hash
        };
        let reference = hash(Level::SCALAR, 1);
        for level in Level::available() {
            assert_eq!(hash(level, 1), reference, "{}", level.name());
            assert_eq!(hash(level, 2), reference, "{} on two threads", level.name());
        }
    }
}

#[test]
fn impossible_setups_are_refused() {
    let level = Level::detect();
    for setup in [
        shaped(BARE, 0, 64),
        Setup { input_width: 0, ..BARE },
        Setup { nets: 0, ..BARE },
        Setup { batch: 0, ..BARE },
        shaped(BARE, 5000, 65536),
        plain(Activation::Tanh, Init::gaussian(f32::NAN, 0.0)),
        plain(Activation::Tanh, Init::gaussian(-1.0, 0.0)),
    ] {
        assert!(probe(&setup, None, level).is_err(), "{setup:?}");
    }
}

#[test]
fn gradients_of_neighbouring_inputs_part_as_published() {
    for (depth, expected) in [(1, 0.8564), (2, 0.7396), (5, 0.4965), (10, 0.2839), (20, 0.1192)] {
        let he = shaped(plain(Activation::Relu, Init::HE), depth, 256);
        let figures = run(&Setup { pair_correlation: Some(0.9), nets: 32, ..he }).figures;
        let found = figures.measured.gradient_correlation.unwrap().mean.unwrap();
        assert!((found - expected).abs() < 0.03, "{depth} layers: {found} for {expected}");
    }
    // The same input twice, and its mirror image in a network that is odd.
    let tanh = plain(Activation::Tanh, Init::LECUN);
    for (rho, expected) in [(1.0, 1.0), (-1.0, 1.0)] {
        let figures = run(&Setup { pair_correlation: Some(rho), ..tanh }).figures;
        let found = figures.measured.gradient_correlation.unwrap().mean.unwrap();
        assert!((found - expected).abs() < 1e-12, "{rho}: {found}");
    }
}

#[test]
fn jacobians_spread_as_published() {
    let jacobian = |activation, init, depth, width| {
        let setup = Setup { jacobian: true, nets: 4, ..shaped(plain(activation, init), depth, width) };
        run(&setup).figures.jacobian.unwrap()
    };
    let tanh =
        Init { bias_variance: 2.01e-5, weight_variance: WeightVariance::Fixed(1.05), ..Init::ORTHOGONAL };
    let he = Init { weight_variance: WeightVariance::Fixed(2.0), ..Init::ORTHOGONAL };
    for (activation, init, depth, expected) in [
        (Activation::Identity, Init::LECUN, 1, 1.0),
        (Activation::Identity, Init::LECUN, 3, 3.0),
        (Activation::Relu, Init::HE, 2, 4.0),
        (Activation::Relu, he, 3, 3.0),
        (Activation::Tanh, tanh, 8, 0.0341),
    ] {
        let found = jacobian(activation, init, depth, 128).spread.mean.unwrap();
        assert!((found / expected - 1.0).abs() < 0.15, "{activation} {depth}: {found} for {expected}");
    }
    let flat = jacobian(Activation::Identity, Init::ORTHOGONAL, 5, 64);
    assert_eq!(flat.singular_values.len(), 64);
    assert!(flat.singular_values.iter().all(|s| (s - 1.0).abs() < 1e-5) && flat.spread.mean.unwrap() < 1e-9);
    // max s^2 = (L + 1)^(L + 1) / L^L.
    let largest = jacobian(Activation::Identity, Init::LECUN, 3, 256).largest.mean.unwrap().powi(2);
    assert!((largest / (256.0 / 27.0) - 1.0).abs() < 0.15, "{largest}");
    // Figures below f32 are figures, and an input of another width makes a rectangle.
    let deep = Setup { jacobian: true, nets: 1, input_width: 24, ..shaped(BARE, 60, 16) };
    let deep = Setup { input_width: 24, ..deep };
    let values = run(&deep).figures.jacobian.unwrap().singular_values;
    assert!(values.len() == 16 && values[0] < 1e-30 && values[0] > 1e-60, "{values:?}");
}

/// ||J u|| of the Jacobian is what a backward pass with cotangent u gives: the root mean square of s agrees.
#[test]
fn singular_values_agree_with_a_random_cotangent() {
    let setup = Setup { jacobian: true, nets: 64, ..shaped(plain(Activation::Relu, Init::HE), 2, 48) };
    let figures = run(&setup).figures;
    let squares: f64 = figures.jacobian.unwrap().singular_values.iter().map(|s| s * s).sum();
    assert!((squares / 48.0 - 1.0).abs() < 0.5, "{squares}");
}

#[test]
fn what_has_no_pair_and_no_jacobian_says_so() {
    let batch_norm = Architecture { norm: Norm::Batch, ..BARE.architecture };
    let normalised = Setup { architecture: batch_norm, batch: 16, ..BARE };
    for setup in [
        Setup { jacobian: true, ..normalised },
        Setup { pair_correlation: Some(0.5), ..normalised },
        Setup { pair_correlation: Some(1.5), ..BARE },
        Setup { pair_correlation: Some(f64::NAN), ..BARE },
        Setup { jacobian: true, cotangent: Cotangent::Loss, ..BARE },
        Setup { jacobian: true, ..shaped(BARE, 1, 4096) },
    ] {
        assert!(probe(&setup, None, Level::detect()).is_err(), "{setup:?}");
    }
}

#[test]
fn cells_do_not_depend_on_threads_or_levels() {
    for cell in [Cell::Lstm, Cell::Gru, Cell::Rnn] {
        let setup = CellSetup {
            cell,
            width: 24,
            steps: 7,
            forget_bias: 1.0,
            activation: Activation::Tanh,
            init: Init::UNIFORM,
            batch: 5,
            nets: 3,
            seed: 4,
        };
        let hash = |level: Level, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| probe_cell(&setup, level)).unwrap().hash
        };
        let reference = hash(Level::SCALAR, 1);
        for level in Level::available() {
            assert_eq!(hash(level, 2), reference, "{cell:?} on {}", level.name());
        }
        let longer = CellSetup { steps: 0, ..setup };
        assert!(probe_cell(&longer, Level::detect()).is_err());
    }
}
