//! What probes are measured on to know their cost: a training step that one of them watches or follows.
//!
//! The step is forward pass, backward pass and SGD of a plain network on Gaussian inputs, with a Gaussian gradient in
//! the place of a loss's, which would take a few microseconds; its rate is 0, so that the network stays as it was started.
//! [`PROBES`] is the list: a new probe is a line in it.

use isobath_kernels::{Level, MatRef};

use super::jacobian;
use super::measure::ProbeError;
use super::moments::moments;
use super::net::{hidden_output, weight_norms};
use super::pair::{self, PAIRS};
use super::rank::effective_rank;
use super::saturation::Saturation;
use super::signs::NEIGHBOURS;
use super::sounding::Sounding;
use crate::activation::Activation;
use crate::architecture::Built;
use crate::net::update::{Clipping, Optimizer, Penalty, Update};
use crate::net::{Arena, Mode, Pass, Plan, Unwatched, Watch};
use crate::random::Random;
use crate::threads::Serial;
use crate::train::{Observer, Units};

/// A probe with a training step.
pub(crate) struct Probe {
    /// Short name.
    pub(crate) name: &'static str,
    /// What it measures.
    pub(crate) what: &'static str,
    /// Runs both.
    pub(crate) run: fn(&mut Step<'_>) -> Result<(), ProbeError>,
}

/// Every probe of layers.
pub(crate) const PROBES: [Probe; 11] = [
    Probe { name: "norms", what: "|x|, |delta|, |gW| of each layer", run: norms },
    Probe { name: "training", what: "norms and speed of learning, as training records them", run: training },
    Probe { name: "weights", what: "|W| of each layer, as training records them", run: weights },
    Probe { name: "units", what: "dead, saturated, mean, deviation, as training records them", run: units },
    Probe { name: "slopes", what: "mean square slope of each layer", run: slopes },
    Probe { name: "sounding", what: "norms, slopes and the hash of delta", run: sounding },
    Probe { name: "saturation", what: "saturated and dead units", run: saturation },
    Probe { name: "moments", what: "mean, variance, kurtosis of the outputs", run: output_moments },
    Probe { name: "rank", what: "effective rank of the outputs", run: rank },
    Probe { name: "correlation", what: "of two inputs' gradients", run: correlation },
    Probe { name: "jacobian", what: "singular values of dx^L / dx^0", run: singular_values },
];

fn norms(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Observer::of_norms(step.pass.level, step.built))
}

fn training(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Observer::new(step.pass.level, step.built))
}

fn weights(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Unwatched)?;
    std::hint::black_box(weight_norms(step.pass.level, &step.arena, &step.pass.plan, step.built));
    Ok(())
}

fn units(step: &mut Step<'_>) -> Result<(), ProbeError> {
    let mut units = Units::new(step.built, step.activation);
    step.train(&mut units)?;
    std::hint::black_box(units.figures());
    Ok(())
}

fn slopes(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut SlopesAlone(Sounding::new(step.pass.level, step.built, step.activation)))
}

fn sounding(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Sounding::new(step.pass.level, step.built, step.activation))
}

fn saturation(step: &mut Step<'_>) -> Result<(), ProbeError> {
    let mut saturation = Saturation::new(step.built, step.activation);
    step.train(&mut saturation)?;
    std::hint::black_box(saturation.fractions());
    Ok(())
}

fn correlation(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Unwatched)?;
    let (first, rest) = step.inputs.split_at(PAIRS * step.pass.plan.input());
    let fresh = &rest[..first.len()];
    let cotangents = &step.gradient[..PAIRS * step.pass.plan.output()];
    let pass = Pass { rows: 2 * PAIRS, ..step.pass };
    pair::gradient_correlation(&pass, &mut step.arena, (first, fresh), NEIGHBOURS, cotangents)?;
    Ok(())
}

fn output_moments(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Unwatched)?;
    step.outputs().for_each(|(y, exponent)| {
        std::hint::black_box(moments(y, exponent));
    });
    Ok(())
}

fn rank(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Unwatched)?;
    step.outputs().for_each(|(y, _)| {
        std::hint::black_box(effective_rank(step.pass.level, y));
    });
    Ok(())
}

fn singular_values(step: &mut Step<'_>) -> Result<(), ProbeError> {
    step.train(&mut Unwatched)?;
    let x = &step.inputs[..step.pass.plan.input()];
    jacobian::singular_values(&step.pass, &mut step.arena, x, 0)?;
    Ok(())
}

/// The slopes of a [`Sounding`] and nothing else of it.
struct SlopesAlone<'a>(Sounding<'a>);

impl Watch for SlopesAlone<'_> {
    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        self.0.slope(layer, kept);
    }
}

/// Rows of a plan that pairs of inputs fit in.
pub(crate) const LEAST_ROWS: usize = 2 * PAIRS;

/// A network that can be trained by a step.
pub(crate) struct Step<'a> {
    pass: Pass<'a, Serial>,
    built: &'a Built,
    arena: Arena<'a>,
    activation: Activation,
    /// At least as many rows as pairs have.
    inputs: Vec<f32>,
    gradient: Vec<f32>,
    update: Update,
}

impl<'a> Step<'a> {
    /// A network on the first `rows` rows of the plan's batch, which has [`LEAST_ROWS`] at least. `memory` is the plan's
    /// arena for an optimiser without moments on one thread.
    pub(crate) fn new(
        level: Level,
        (plan, built, activation): (Plan<'a>, &'a Built, Activation),
        rows: usize,
        memory: &'a mut [f32],
        seed: u64,
    ) -> Result<Self, ProbeError> {
        let mut arena = Arena::new(&plan, 0, 1, memory)?;
        let [mut weights, mut inputs, mut cotangent] = [0, 1, 2].map(|k| Random::stream(seed, k));
        arena.initialise(&plan, &mut weights);
        let normal = |random: &mut Random, length| {
            let mut values = vec![0.0; length];
            random.fill_normal(&mut values, 1.0);
            values
        };
        Ok(Self {
            pass: Pass { plan, level, threads: &Serial, rows },
            built,
            arena,
            activation,
            inputs: normal(&mut inputs, rows.max(LEAST_ROWS) * plan.input()),
            gradient: normal(&mut cotangent, rows.max(LEAST_ROWS) * plan.output()),
            update: Update::new(Optimizer::Sgd, Clipping::None, Penalty::None),
        })
    }

    /// What the hidden layers gave out in the last forward pass.
    fn outputs(&self) -> impl Iterator<Item = (MatRef<'_>, i32)> {
        let Self { pass, built, arena, .. } = self;
        let layers = 0..built.dense_at.len();
        layers.filter_map(|l| hidden_output(arena, &pass.plan, built, l, pass.rows))
    }

    /// One training step under the eyes of `watch`.
    pub(crate) fn train(&mut self, watch: &mut impl Watch) -> Result<(), ProbeError> {
        let Self { pass, arena, inputs, gradient, update, .. } = self;
        let batch = arena.input_mut(&pass.plan, pass.rows);
        batch.copy_from_slice(&inputs[..batch.len()]);
        pass.forward(arena, Mode::Training, watch)?;
        pass.backward(arena, gradient, false, watch)?;
        update.apply(pass.level, pass.threads, &pass.plan, arena, 0.0)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Architecture, Head};
    use crate::init::Init;
    use crate::net::Place;

    /// A probe may look, but a network that it has looked at must end as one that nobody watched.
    #[test]
    fn no_probe_changes_a_bit_of_the_step() {
        let activation = Activation::Tanh;
        let architecture = Architecture::plain(4, 9, activation, Init::XAVIER);
        let built = architecture.build(9, Head::None);
        for rows in [1, 5] {
            let mut places = vec![Place::default(); built.layers.len()];
            let plan = Plan::new(9, rows.max(LEAST_ROWS), &built.layers, &mut places).unwrap();
            let trained = |run: &dyn Fn(&mut Step<'_>)| {
                let mut memory = vec![0.0; plan.arena_len(0, 1).unwrap()];
                let mut step =
                    Step::new(Level::SCALAR, (plan, &built, activation), rows, &mut memory, 1).unwrap();
                run(&mut step);
                step.train(&mut Unwatched).unwrap();
                (step.arena.parameters.to_vec(), step.arena.gradients.to_vec())
            };
            let alone = trained(&|_| ());
            assert!(alone.1.iter().any(|gradient| *gradient != 0.0));
            for probe in &PROBES {
                assert!(trained(&|step| (probe.run)(step).unwrap()) == alone, "{}", probe.name);
            }
        }
    }
}
