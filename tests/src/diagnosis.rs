//! Generated networks whose truth is simulated, and how often `diagnose` is right about them.
//!
//! Truth is the median over many networks of an ensemble of log10(||delta^1|| / ||delta^L||): at least a decade is sick,
//! up to half a decade healthy, what lies between is counted apart. What is diagnosed is the mean record of eight other
//! networks of the ensemble: norms, no flags.

use std::fmt;

use isobath::diagnose::judge;
use isobath::probe::Kind;
use rayon::prelude::*;

use crate::simulation::{Ensemble, Fault, Phi, Seen, Weights, average};

/// Networks whose record is diagnosed.
const RECORDED: u64 = 8;

/// Which kinds of network are told apart, in the order of the confusion matrix.
pub const KINDS: [Kind; 5] = [Kind::Vanishing, Kind::Exploding, Kind::Dead, Kind::Healthy, Kind::Borderline];

/// One ensemble, what is true of it and what was said.
#[derive(Clone, Debug)]
pub struct Case {
    /// The networks.
    pub ensemble: Ensemble,
    /// What they are.
    pub truth: Kind,
    /// What they were said to be.
    pub verdict: Kind,
    /// The layer that was blamed.
    pub layer: Option<usize>,
    /// Whether the simulated rate lies in the stated interval; none where there is none.
    pub covered: Option<bool>,
}

impl Case {
    /// Simulates `nets` networks for the truth, and diagnoses eight others.
    pub fn new(ensemble: Ensemble, nets: u64) -> Self {
        let run = |net| ensemble.run(net);
        let truth: Vec<Seen> = (RECORDED..RECORDED + nets).into_par_iter().map(run).collect();
        let recorded: Vec<Seen> = (0..RECORDED).map(run).collect();
        let diagnosis = judge(&average(&recorded));
        let mut decades: Vec<f64> = truth.iter().filter_map(Seen::decades).collect();
        decades.sort_by(f64::total_cmp);
        let median = decades.get(decades.len() / 2).copied();
        let dead = 2 * truth.iter().filter(|net| net.is_dead).count() >= truth.len();
        let kind = match median {
            _ if dead => Kind::Dead,
            None => Kind::Exploding,
            Some(size) if size.abs() <= 0.5 => Kind::Healthy,
            Some(size) if size.abs() < 1.0 => Kind::Borderline,
            Some(size) if size < 0.0 => Kind::Vanishing,
            Some(_) => Kind::Exploding,
        };
        // The rate is the mean over networks, as the record is.
        let mean = decades.iter().sum::<f64>() / decades.len() as f64;
        let factor = 10f64.powf(mean / (ensemble.depth - 1) as f64);
        let interval = diagnosis.rate.and_then(|rate| rate.ci95);
        let covered = interval.filter(|_| !dead && ensemble.fault.is_none());
        Self {
            ensemble,
            truth: kind,
            verdict: diagnosis.kind,
            layer: diagnosis.layer,
            covered: covered.map(|(low, high)| low <= factor && factor <= high),
        }
    }

    /// The layer whose parameters are at fault: none in a sound network, or where a normalisation heals the fault.
    pub fn faulty_layer(&self) -> Option<usize> {
        match self.ensemble.fault {
            Some((_, Fault::Scaled(_))) if self.ensemble.batch > 1 => None,
            fault => fault.map(|(layer, _)| layer),
        }
    }

    /// Whether the blamed layer is the faulty one: exactly, or within one where the activation bends.
    pub fn place_is_right(&self) -> bool {
        match (self.faulty_layer(), self.layer) {
            (None, found) => found.is_none(),
            (Some(_), None) => false,
            (Some(layer), Some(found)) => {
                layer.abs_diff(found) <= usize::from(!self.ensemble.phi.is_homogeneous())
            }
        }
    }
}

/// What became of all cases.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// The cases.
    pub cases: Vec<Case>,
}

impl Score {
    fn count(&self, what: impl Fn(&Case) -> bool) -> usize {
        self.cases.iter().filter(|case| what(case)).count()
    }

    /// Of the cases that are of a kind, how many were called so or, near the limit, borderline counted apart.
    pub fn recall(&self, kind: Kind) -> f64 {
        let decided = |case: &Case| case.truth == kind && case.verdict != Kind::Borderline;
        self.count(|case| decided(case) && case.verdict == kind) as f64 / self.count(decided).max(1) as f64
    }

    /// Of the cases that were called so, how many are.
    pub fn precision(&self, kind: Kind) -> f64 {
        let called = |case: &Case| case.verdict == kind && case.truth != Kind::Borderline;
        self.count(|case| called(case) && case.truth == kind) as f64 / self.count(called).max(1) as f64
    }

    /// How many cases are truly of a kind.
    pub fn of_kind(&self, kind: Kind) -> usize {
        self.count(|case| case.truth == kind)
    }

    /// Cases that were called borderline and are not.
    pub fn undecided(&self) -> f64 {
        let undecided = |case: &Case| case.verdict == Kind::Borderline && case.truth != Kind::Borderline;
        self.count(undecided) as f64 / self.cases.len() as f64
    }

    /// Of the networks with a fault, and of those without, how many have the right layer blamed, or none.
    pub fn places(&self) -> (f64, f64) {
        let share = |faulty: bool| {
            let of = |case: &Case| case.faulty_layer().is_some() == faulty;
            self.count(|case| of(case) && case.place_is_right()) as f64 / self.count(of).max(1) as f64
        };
        (share(true), share(false))
    }

    /// How many stated intervals hold the true rate.
    pub fn coverage(&self) -> f64 {
        self.count(|case| case.covered == Some(true)) as f64
            / self.count(|case| case.covered.is_some()).max(1) as f64
    }
}

impl fmt::Display for Score {
    /// The confusion matrix, and the cases whose place is wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>12} {:>10} {:>10} {:>6} {:>8} {:>11}",
            "truth", "vanishing", "exploding", "dead", "healthy", "borderline"
        )?;
        for truth in KINDS {
            let row = KINDS.map(|verdict| self.count(|case| case.truth == truth && case.verdict == verdict));
            let name = format!("{truth:?}").to_lowercase();
            writeln!(
                f,
                "{name:>12} {:>10} {:>10} {:>6} {:>8} {:>11}",
                row[0], row[1], row[2], row[3], row[4]
            )?;
        }
        let (faulty, sound) = self.places();
        writeln!(
            f,
            "the faulty layer is named in {:.3}, none in {sound:.3} of the sound; intervals cover {:.3}",
            faulty,
            self.coverage()
        )?;
        for case in self.cases.iter().filter(|case| !case.place_is_right()) {
            writeln!(f, "  blamed {:?}: {:?}", case.layer, case.ensemble)?;
        }
        Ok(())
    }
}

/// A small generator of choices.
struct Choice(u64);

impl Choice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[(self.next() * items.len() as f64) as usize % items.len()]
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}

/// `count` ensembles: half of them with chi between .8 and 1.25, a quarter with a fault or the decoy of one.
pub fn ensembles(count: usize, seed: u64) -> Vec<Ensemble> {
    let mut choice = Choice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..20 {
        choice.next();
    }
    (0..count).map(|i| ensemble(i, &mut choice)).collect()
}

fn ensemble(i: usize, choice: &mut Choice) -> Ensemble {
    let phi = choice.of(&[Phi::Relu, Phi::Leaky, Phi::Relu, Phi::Tanh, Phi::Elu, Phi::Sigmoid]);
    let slope_square = match phi {
        Phi::Relu => 0.5,
        Phi::Leaky => 0.52,
        Phi::Elu => 0.668,
        Phi::Tanh | Phi::Sigmoid => 1.0,
    };
    let chi = if i.is_multiple_of(2) { choice.between(0.8, 1.25) } else { choice.between(0.2, 2.5) };
    let mut ensemble = Ensemble {
        phi,
        weights: choice.of(&[Weights::Gaussian, Weights::Gaussian, Weights::Uniform, Weights::Orthogonal]),
        weight_variance: chi / slope_square,
        bias_variance: if phi.is_homogeneous() { 0.0 } else { choice.of(&[0.0, 0.05]) },
        depth: choice.of(&[4, 8, 12, 20, 30, 40]),
        width: choice.of(&[16, 24, 32, 48, 64]),
        batch: 1,
        input: 1.0,
        fault: None,
    };
    match i % 8 {
        // A fault in any layer, the first and the last included.
        1 | 3 => {
            ensemble.depth = choice.of(&[12, 20, 30]);
            let last = ensemble.depth;
            let layer = choice.of(&[1, 2, last / 3, last / 2, last - 1, last]);
            ensemble.fault = Some((layer, Fault::Scaled(choice.of(&[0.1, 0.2, 4.0, 6.0, 10.0]))));
        }
        5 => {
            ensemble.depth = choice.of(&[8, 12, 20]);
            let layer = choice.of(&[1, 3, ensemble.depth / 2, ensemble.depth]);
            let fault = choice.of(&[Fault::Silent, Fault::Broken, Fault::Silent]);
            ensemble.phi = choice.of(&[Phi::Relu, Phi::Leaky, Phi::Relu]);
            ensemble.bias_variance = 0.0;
            // All of a ReLU layer's units are 0.
            let fault =
                if ensemble.phi == Phi::Relu && choice.next() < 0.5 { Fault::Shifted(-1e4) } else { fault };
            ensemble.weight_variance = 2.0;
            ensemble.fault = Some((layer, fault));
        }
        // The decoy: batch norm does not mind the size of the weights.
        7 => {
            ensemble.batch = 32;
            ensemble.width = choice.of(&[16, 24]);
            ensemble.depth = choice.of(&[6, 12]);
            ensemble.phi = choice.of(&[Phi::Relu, Phi::Tanh, Phi::Elu]);
            if choice.next() < 0.5 {
                let layer = choice.of(&[1, 3, ensemble.depth]);
                ensemble.fault = Some((layer, Fault::Scaled(choice.of(&[0.2, 5.0, 10.0]))));
            }
        }
        _ => {}
    }
    ensemble
}

/// Diagnoses `count` ensembles of a seed; the truth is simulated with `nets` networks each.
pub fn score(count: usize, nets: u64, seed: u64) -> Score {
    Score { cases: ensembles(count, seed).into_iter().map(|ensemble| Case::new(ensemble, nets)).collect() }
}
