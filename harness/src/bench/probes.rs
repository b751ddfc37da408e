//! The cost of each probe beside the training step that it watches or follows.
//!
//! A probe is timed with its step, right after the step without it; its cost is the difference of the two, its share the
//! difference in percent of the step. Probes take turns, the one that has had the least time first, until the time is
//! over. Medians over these pairs stand for all of them, with the interval that holds the median with 95 % confidence
//! whatever the times are spread like (order statistics; Conover, Practical Nonparametric Statistics, 3.2).

use std::time::{Duration, Instant};

use isobath_kernels::Level;
use serde::Serialize;

use super::timing::{Interval, Times, calls_per_batch, seconds_per_call};
use crate::activation::Activation;
use crate::architecture::{Architecture, Head};
use crate::init::Init;
use crate::machine::available_memory;
use crate::memory::Buffer;
use crate::net::{Place, Plan, PlanError, Unwatched};
use crate::probe::{LEAST_ROWS, PROBES, Probe, ProbeError, Step};

/// Pairs of each probe, at least: fewer have no interval of 95 %.
const LEAST_PAIRS: usize = 6;

/// A plain network without normalisation, as wide as its input, started by Xavier's initialiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Network {
    /// Hidden layers.
    pub depth: usize,
    /// Units per layer.
    pub width: usize,
    /// Samples per step.
    pub batch: usize,
    /// phi.
    #[serde(serialize_with = "super::name")]
    pub activation: Activation,
}

/// What a probe costs.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// Its name.
    pub probe: &'static str,
    /// What it measures.
    pub what: &'static str,
    /// Microseconds per call.
    pub microseconds: Interval,
    /// Percent of a training step.
    pub percent: Interval,
    /// How often it was measured.
    pub pairs: usize,
}

/// What the probes of one network cost.
#[derive(Clone, Debug, Serialize)]
pub struct Costs {
    /// The network.
    #[serde(flatten)]
    pub network: Network,
    /// Microseconds of a training step that nobody watches.
    pub step_microseconds: Interval,
    /// One for each probe.
    pub probes: Vec<Cost>,
}

/// Measures all probes for so long, on one thread.
///
/// # Errors
/// The network does not fit into memory.
pub fn measure(network: Network, level: Level, seed: u64, time: Duration) -> Result<Costs, ProbeError> {
    let Network { depth, width, batch, activation } = network;
    let architecture = Architecture::plain(depth, width, activation, Init::XAVIER);
    let built = architecture.build(width, Head::None);
    let mut places = vec![Place::default(); built.layers.len()];
    let plan = Plan::new(width, batch.max(LEAST_ROWS), &built.layers, &mut places)?;
    let length = plan.arena_len(0, 1)?;
    let needed = (length as u64).saturating_mul(size_of::<f32>() as u64);
    match available_memory() {
        Some(available) if needed > available => {
            return Err(ProbeError::Memory { needed: needed >> 20, available: available >> 20 });
        }
        _ => {}
    }
    let mut memory = Buffer::zeros(length).map_err(|_| PlanError::TooLarge)?;
    let mut step = Step::new(level, (plan, &built, activation), batch, &mut memory, seed)?;
    // Each of them once, to see that there is no error; what is timed then has none either.
    step.train(&mut Unwatched)?;
    PROBES.iter().try_for_each(|probe| (probe.run)(&mut step))?;

    let calls = calls_per_batch(|| {
        let _ = step.train(&mut Unwatched);
    });
    let mut steps = Times::default();
    let mut pairs = vec![Pairs::default(); PROBES.len()];
    let start = Instant::now();
    while start.elapsed() < time || pairs.iter().any(|of| of.count < LEAST_PAIRS) {
        let turns = pairs.iter_mut().zip(&PROBES);
        let Some((of, probe)) = turns.min_by(|(one, _), (other, _)| one.spent.cmp(&other.spent)) else {
            break;
        };
        let begun = Instant::now();
        let alone = seconds_per_call(calls, &mut || {
            let _ = step.train(&mut Unwatched);
        });
        let watched = seconds_per_call(calls, &mut || {
            let _ = (probe.run)(&mut step);
        });
        steps.push(alone);
        of.differences.push((watched - alone) * 1e6);
        of.shares.push(100.0 * (watched - alone) / alone);
        of.count += 1;
        of.spent += begun.elapsed();
    }
    let cost = |(of, probe): (&Pairs, &Probe)| Cost {
        probe: probe.name,
        what: probe.what,
        microseconds: of.differences.interval(),
        percent: of.shares.interval(),
        pairs: of.count,
    };
    Ok(Costs {
        network,
        step_microseconds: steps.interval().times(1e6),
        probes: pairs.iter().zip(&PROBES).map(cost).collect(),
    })
}

/// What was timed of one probe.
#[derive(Clone, Default)]
struct Pairs {
    /// Microseconds.
    differences: Times,
    /// Percent.
    shares: Times,
    count: usize,
    spent: Duration,
}
