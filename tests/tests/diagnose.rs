//! Diagnosis from norms against simulated truth: verdicts, places, intervals, and agreement with what a probe says.

use isobath::activation::Activation;
use isobath::architecture::Architecture;
use isobath::diagnose::{self, LayerRecord, Record, judge, records};
use isobath::init::Init;
use isobath::probe::{Cause, Kind, Setup, probe};
use isobath::zoo::{Case, Class, Ensemble, Input, Phi, Score, Weights, population};
use isobath_kernels::Level;
use rayon::prelude::*;

const SIGMOID: Ensemble = Ensemble {
    phi: Phi::Sigmoid,
    weights: Weights::Gaussian,
    weight_variance: 1.0,
    bias_variance: 0.0,
    depth: 20,
    width: 48,
    batch: 1,
    input: Input::Gaussian(0.25),
    loss: false,
    fault: None,
};
const HE: Ensemble =
    Ensemble { phi: Phi::Relu, weight_variance: 2.0, input: Input::Gaussian(1.0), ..SIGMOID };

fn record(ensemble: Ensemble, nets: u64) -> Record {
    Record::mean(&(0..nets).map(|net| ensemble.run(net, false).record).collect::<Vec<_>>()).unwrap()
}

/// A sample of what `isobath verify --zoo` does with more networks of each ensemble, and for any seed.
#[test]
fn generated_networks_are_judged_rightly() {
    let animals = population(96, 1).into_par_iter().enumerate();
    let cases =
        animals.map(|(i, ensemble)| Case::new(ensemble, 16, i as u64, Level::detect()).unwrap()).collect();
    let score = Score { cases };
    println!("{score}");
    for class in Class::ALL.into_iter().filter(|class| *class != Class::BORDERLINE) {
        assert!(score.of_class(class) >= 6, "too few {class}: {score}");
    }
    // Three in a hundred may be wrong.
    assert!(score.count(Case::is_wrong) <= 3, "{score}");
    assert!(score.undecided() <= 0.1 && score.borderline() <= 0.12, "{score}");
    assert!((0.85..=0.99).contains(&score.coverage()) && score.width() < 1.5, "{score}");
}

#[test]
fn a_verdict_has_the_same_bits_on_every_level() {
    for ensemble in population(24, 3)
        .into_iter()
        .filter(|ensemble| ensemble.depth * ensemble.width < 500 && ensemble.batch == 1)
    {
        let judged = |level| Case::new(ensemble, 8, 1, level).unwrap().diagnosis;
        let first = judged(Level::SCALAR);
        for level in Level::available() {
            assert_eq!(judged(level), first, "{} {ensemble}", level.name());
        }
    }
}

#[test]
fn the_same_network_gets_the_same_verdict_both_ways() {
    let uniform = Ensemble { weights: Weights::Uniform, weight_variance: 1.0 / 3.0, ..HE };
    let tanh = Ensemble { phi: Phi::Tanh, weight_variance: 2.5, bias_variance: 0.05, ..HE };
    for (ensemble, activation, init) in [
        (SIGMOID, Activation::Sigmoid, Init::XAVIER),
        (HE, Activation::Relu, Init::HE),
        (uniform, Activation::Relu, Init::UNIFORM),
        (tanh, Activation::Tanh, Init::gaussian(2.5, 0.05)),
    ] {
        let setup = Setup::plain(Architecture::plain(20, 48, activation, init), 1);
        let report = probe(&setup, None, Level::detect()).unwrap();
        let probed = diagnose::probed(&setup, &report, |_| String::new());
        let recorded = judge(&record(ensemble, 8));
        assert_eq!(probed.kind, recorded.kind, "{activation}");
        let (one, other) = (probed.rate.unwrap().factor, recorded.rate.unwrap().factor);
        assert!((one / other - 1.0).abs() < 0.04, "{activation}: {one} and {other}");
        if activation == Activation::Sigmoid || activation == Activation::Relu {
            let cause = |diagnosis: &diagnose::Diagnosis| diagnosis.causes.first().map(|blame| blame.cause);
            assert_eq!(cause(&probed), cause(&recorded), "{activation}");
        }
    }
}

#[test]
fn flat_weight_gradients_do_not_hide_what_vanishes() {
    let record = record(Ensemble { weights: Weights::Uniform, weight_variance: 1.0 / 3.0, ..HE }, 8);
    let ends = |norm: fn(&LayerRecord) -> diagnose::Norm| {
        norm(&record.layers[0]).log10().unwrap() - norm(&record.layers[19]).log10().unwrap()
    };
    assert!(ends(|layer| layer.gw).abs() < 0.5);
    let diagnosis = judge(&record);
    assert_eq!((diagnosis.kind, diagnosis.causes[0].cause), (Kind::Vanishing, Cause::Weights));
    assert!(
        diagnosis.max_depth_one_decade.unwrap() <= 4 && diagnosis.rate.unwrap().r_squared.unwrap() > 0.99
    );
    let factor = diagnosis.rate.unwrap().factor;
    assert!((0.38..0.42).contains(&factor), "{factor}");
    let fix = diagnosis.fix.unwrap();
    let multiplier = format!("by {:.4}", 1.0 / factor);
    assert!(fix.change.contains(&multiplier) && fix.predicted_factor == Some(1.0), "{fix:?}");
}

#[test]
fn a_healthy_network_with_bad_luck_is_not_called_sick() {
    // Single networks, as a program would record them, the unluckiest of two hundred among them.
    let sick = (0..200).filter(|net| judge(&HE.run(*net, false).record).kind.is_sick()).count();
    assert!(sick <= 2, "{sick} of 200");
}

#[test]
fn gradients_that_an_f32_program_rounds_to_zero_are_not_dead() {
    let mut record = record(SIGMOID, 1);
    for layer in &mut record.layers[..8] {
        layer.delta = diagnose::Norm::Zero;
        layer.gw = diagnose::Norm::Zero;
    }
    for (above, layer) in record.layers[8..].iter_mut().enumerate() {
        layer.delta = diagnose::Norm::Log10(-38.0 + 0.6 * above as f64);
    }
    let diagnosis = judge(&record);
    assert_eq!((diagnosis.kind, diagnosis.causes[0].cause), (Kind::Vanishing, Cause::Underflow));
    assert!((diagnosis.rate.unwrap().factor.log10() + 0.6).abs() < 1e-9);
}

#[test]
fn a_file_is_judged_as_what_it_holds() {
    let record = record(Ensemble { depth: 6, ..SIGMOID }, 1);
    let mut table = String::from("step,layer,x,delta,gw,w\n");
    for (l, layer) in record.layers.iter().enumerate() {
        let norm = |norm: diagnose::Norm| 10f64.powf(norm.log10().unwrap());
        let (x, delta, gw, w) = (norm(layer.x), norm(layer.delta), norm(layer.gw), norm(layer.w));
        table += &format!("0,{},{x:e},{delta:e},{gw:e},{w:e}\n", l + 1);
    }
    let read = records::read(table.as_bytes()).unwrap();
    let (one, other) = (judge(&record), judge(&read[0]));
    assert_eq!((one.kind, read.len()), (other.kind, 1));
    assert!((one.decades.unwrap() - other.decades.unwrap()).abs() < 1e-9);
}

#[test]
fn a_record_without_layers_has_no_verdict_and_no_panic() {
    let diagnosis = judge(&Record::default());
    assert_eq!((diagnosis.kind, diagnosis.decades, diagnosis.rate), (Kind::Borderline, None, None));
    assert!(diagnosis.not_checked[0].contains("no layers"), "{:?}", diagnosis.not_checked);
    assert_eq!(diagnose::judge_networks(&[]), None);
}
