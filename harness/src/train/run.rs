//! The training loop.

use std::time::{Duration, Instant};

use isobath_kernels::{Level, reduce};
use thiserror::Error;

use super::histogram::Histograms;
use super::loss::loss_and_gradient;
use super::noise::gradient_noise;
use super::observe::{LayerNorms, Observer, log10};
use super::units::{UnitFigures, Units, as_learned};
use super::{Course, Divergence, Keeper, LayerHistograms, Loss, Recipe, Trained, Unkept};
use crate::architecture::Built;
use crate::data::sequence::adding;
use crate::data::{Dataset, Target};
use crate::descent::{self, Descent, DescentError};
use crate::memory::Buffer;
use crate::net::update::Update;
use crate::net::{Arena, Layer, NetError, Place, Plan, PlanError, Unwatched};
use crate::pretrain::PretrainError;
use crate::pretrain::stack::{Memory, Stack};
use crate::threads::Threads;
use crate::weights::WeightsError;

/// Why a network could not be trained at all. One that diverges is a result, not an error.
///
/// ```
/// # use isobath::architecture::Architecture;
/// # use isobath::data::{Sizes, Source};
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::threads::Serial;
/// # use isobath::train::{Recipe, train};
/// # let plan = StudyPlan::load("remedies", None, false)?;
/// # let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// # let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// # let recipe = Recipe { architecture, steps: 10, batch: 40, record_every: 5, ..row };
/// # let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// # let level = isobath_kernels::Level::detect();
/// # let trained = train(&recipe, &splits.train, &splits.test, 1, level, &Serial, |_, _| true)?;
/// # let trained = trained.expect("nobody stopped it");
/// use isobath::train::TrainError;
///
/// // `recipe` is a small network with batches of 40, `splits.train` has as many samples.
/// let large = Recipe { batch: 50, ..recipe };
/// let error = train(&large, &splits.train, &splits.test, 1, level, &Serial, |_, _| true).unwrap_err();
/// assert!(matches!(error, TrainError::Batch { batch: 50, found: 40 }));
/// assert_eq!(error.to_string(), "a batch of 50 samples cannot be drawn from 40 training samples");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
pub enum TrainError {
    /// The layers are no network.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// A pass did not fit its plan.
    #[error("{0}")]
    Net(#[from] NetError),
    /// The batch is larger than the training set.
    #[error("a batch of {batch} samples cannot be drawn from {found} training samples")]
    Batch {
        /// Batch size.
        batch: usize,
        /// Training samples.
        found: usize,
    },
    /// A network of convolutions on samples that are no images.
    #[error(
        "a network of convolutions needs images (glyphs, idx:DIR); these samples are rows of {features} numbers"
    )]
    NoImages {
        /// Numbers per sample.
        features: usize,
    },
    /// The run did not fit its memory or its data.
    #[error("{0}")]
    Descent(#[from] DescentError),
    /// A recurrent network on samples without steps.
    #[error(
        "a network with a cell needs sequences (adding:STEPS, copy:BLANKS, recall:BLANKS) or images (glyphs, idx:DIR); \
         these samples are rows of {features} numbers"
    )]
    NoSteps {
        /// Numbers per sample.
        features: usize,
    },
    /// The network gives another number of answers per sample than the data ask for.
    #[error(
        "the network gives {given} answers per sample, the data ask for {asked}; `cell` makes one that gives several"
    )]
    Answers {
        /// Positions of the output.
        given: usize,
        /// Labels per sample.
        asked: usize,
    },
    /// A loss of classes, where labels are numbers.
    #[error("loss is {loss}, but the labels are numbers; leave it out for their squared error")]
    LossOfNumbers {
        /// The loss.
        loss: Loss,
    },
    /// The network cannot be pre-trained.
    #[error("{0}")]
    Pretrain(#[from] PretrainError),
    /// A loss was given shapes that do not fit.
    #[error("the loss: {0}")]
    Loss(String),
    /// The weights to start from are none of this network.
    #[error("{0}")]
    Weights(#[from] WeightsError),
}

/// Trains one network on `data` and measures its accuracy on `held_out`. `on_step` is called after every step with
/// the course so far, and stops the run by answering false. Before the first step it is called with step 0 while
/// layers are pre-trained, as often as each of them makes steps.
///
/// # Errors
/// The recipe is no network, or does not fit the data.
///
/// ```
/// use isobath::architecture::Architecture;
/// use isobath::data::{Sizes, Source};
/// use isobath::study::plan::StudyPlan;
/// use isobath::threads::Serial;
/// use isobath::train::{Recipe, train};
/// use isobath_kernels::Level;
///
/// // As a row of the default study is trained, but three layers of 4 units on all samples at once.
/// let plan = StudyPlan::load("remedies", None, false)?;
/// let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// let recipe = Recipe { architecture, steps: 10, batch: 40, record_every: 1, ..row };
/// let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// let (data, test, level) = (&splits.train, &splits.test, Level::detect());
///
/// let trained = train(&recipe, data, test, 1, level, &Serial, |_, _| true)?;
/// let loss = trained.expect("nobody stopped it").course.loss;
/// assert!(loss[10] < loss[0]);
/// // Whoever has seen enough after three steps stops it.
/// let stopped = train(&recipe, data, test, 1, level, &Serial, |step, _| step < 3)?;
/// assert!(stopped.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn train<T: Threads>(
    recipe: &Recipe,
    data: &Dataset,
    held_out: &Dataset,
    seed: u64,
    level: Level,
    threads: &T,
    on_step: impl FnMut(usize, &Course) -> bool,
) -> Result<Option<Trained>, TrainError> {
    train_kept(recipe, data, held_out, seed, level, threads, &mut Unkept, on_step)
}

/// As [`train`], with somebody who may start the network in another way and keep copies of its parameters.
///
/// # Errors
/// As [`train`], and the keeper's own.
///
/// ```
/// # use isobath::architecture::Architecture;
/// # use isobath::data::{Sizes, Source};
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::threads::Serial;
/// # use isobath::train::{Recipe, train};
/// # let plan = StudyPlan::load("remedies", None, false)?;
/// # let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// # let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// # let recipe = Recipe { architecture, steps: 10, batch: 40, record_every: 5, ..row };
/// # let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// # let level = isobath_kernels::Level::detect();
/// # let trained = train(&recipe, &splits.train, &splits.test, 1, level, &Serial, |_, _| true)?;
/// # let trained = trained.expect("nobody stopped it");
/// use isobath::train::train_kept;
/// use isobath::weights::WeightsKeeper;
///
/// // `recipe` is a network, `splits` what it learns from and is tested on.
/// let (data, test, mut keeper) = (&splits.train, &splits.test, WeightsKeeper::default());
/// train_kept(&recipe, data, test, 1, level, &Serial, &mut keeper, |_, _| true)?;
/// // What the run ended with is what another can start from.
/// let mut second = WeightsKeeper { load: Some(keeper.last), ..WeightsKeeper::default() };
/// let on = train_kept(&recipe, data, test, 2, level, &Serial, &mut second, |_, _| true)?;
/// let on = on.expect("nobody stopped it");
/// assert!(on.course.loss[0] < trained.course.loss[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn train_kept<T: Threads>(
    recipe: &Recipe,
    data: &Dataset,
    held_out: &Dataset,
    seed: u64,
    level: Level,
    threads: &T,
    keeper: &mut impl Keeper,
    mut on_step: impl FnMut(usize, &Course) -> bool,
) -> Result<Option<Trained>, TrainError> {
    let started = Instant::now();
    let found = data.len();
    if recipe.batch > found {
        return Err(TrainError::Batch { batch: recipe.batch, found });
    }
    let built = recipe.build(data.form(), data.classes());
    let mut places = vec![Place::default(); built.layers.len()];
    let plan = recipe.plan(data.form(), &built, &mut places)?;
    recipe.check(&plan, data.form(), data.target())?;
    let update =
        Update::new(recipe.optimizer, recipe.clipping, recipe.penalty).with_restraint(recipe.restraint);
    let length = plan.arena_len(update.moments(), threads.count())?;
    let mut arena = Buffer::zeros(length).map_err(|_| PlanError::TooLarge)?;
    let (mut order, mut labels) = (vec![0; found], vec![0; recipe.batch * data.form().answers()]);
    let mut gradient = vec![0.0; recipe.batch * plan.output()];
    let memory = descent::Memory {
        arena: &mut arena,
        order: &mut order,
        labels: &mut labels,
        gradient: &mut gradient,
    };
    let mut descent = Descent::new(plan, level, threads, update, data.samples(), memory, seed)?;
    if let Some(pretraining) = recipe.pretraining {
        let stack = Stack::new(pretraining, plan)?;
        let parameters = &mut *descent.arena_mut().parameters;
        let go_on = || on_step(0, &Course::default());
        let length = stack.memory_len(data.len(), threads.count());
        let mut values = Buffer::zeros(length).map_err(|_| PlanError::TooLarge)?;
        if !pretrain(&stack, parameters, data, &mut values, seed, level, threads, go_on)? {
            return Ok(None);
        }
    }
    keeper.start(&plan, &built, descent.arena_mut())?;
    let before = descent.arena().parameters.to_vec();
    let mut course = Course::default();
    let mut figures: [Vec<LayerNorms>; 2] = Default::default();
    let mut units: [Vec<UnitFigures>; 2] = Default::default();
    let mut histograms: [Vec<LayerHistograms>; 2] = Default::default();
    let mut noise = [None; 2];
    let loss_of = |outputs: &[f32], labels: &[u32], gradient: &mut [f32]| {
        loss_and_gradient(recipe.loss, level, outputs, labels, data.target(), gradient)
    };
    let mut ratio = [None; 2];
    let mut divergence = None;
    let mut at_checkpoint = None;
    let mut steps = 0;
    let (descending, mut probing) = (Instant::now(), Duration::ZERO);
    // One pass more than there are updates: the last one measures the trained network.
    for step in 0..=recipe.steps {
        let recorded = step % recipe.record_every.max(1) == 0 || step == recipe.steps;
        if recipe.checkpoint == Some(step) && step < recipe.steps {
            let begun = Instant::now();
            at_checkpoint = Some(accuracy(&mut descent, held_out)?);
            probing += begun.elapsed();
        }
        let last = step == recipe.steps;
        if recorded {
            course.add_parameters(level, &plan, &built, descent.arena(), recipe.penalty);
        }
        let learned = (step == 0 || last).then(|| as_learned(&built, &plan, descent.arena()));
        let mut watch = (
            recorded.then(|| Observer::new(level, &built)),
            learned
                .as_ref()
                .map(|built| (Units::new(built, recipe.architecture.activation), Histograms::new(built))),
        );
        // Where nobody looks at the gradients, each layer is updated as soon as it has its own.
        let in_one = !recorded;
        let rate = recipe.rate * recipe.schedule.factor(step, recipe.steps);
        let loss = if in_one {
            descent.descend(loss_of, rate, &mut Unwatched)?.0
        } else {
            descent.measure(loss_of, &mut watch)?
        };
        let (observer, counted) = watch;
        if !loss.is_finite() {
            let mut bad = vec![false; plan.layers().len()];
            for (layer, place) in plan.places().iter().enumerate() {
                // An activation overwrites what it reads, but for a copy of it where a segment begins.
                if !matches!(plan.layers().get(layer + 1), Some(Layer::Activation(_))) {
                    descent.recompute(layer)?;
                    bad[layer] = leaves_f32(descent.arena(), place, recipe.batch);
                }
            }
            let layer = first_bad_layer(&built, bad.iter().position(|bad| *bad));
            divergence = Some(Divergence { step, layer: layer.unwrap_or(built.dense_at.len() + 1) });
            if let Some(observer) = &observer {
                record(&mut course, step, loss, None, 0.0, observer);
            }
            break;
        }
        if step == 0 {
            let labels = descent.labels().to_vec();
            keeper.first_gradients(&plan, &built, descent.arena_mut(), &labels, data.target());
        }
        let gradient_norm =
            recorded.then(|| log10(reduce::norm(level, descent.arena().gradients), 0)).flatten();
        if step == 0 || last {
            let probe = Instant::now();
            noise[usize::from(step > 0)] = gradient_noise(&mut descent, level, loss_of)?;
            probing += probe.elapsed();
        }
        let mut clipped = 0.0;
        if !last {
            if !in_one {
                clipped = descent.step(rate)?.fraction();
            }
            steps = step + 1;
        }
        if let Some(observer) = observer {
            record(&mut course, step, loss, gradient_norm, clipped, &observer);
            let which = usize::from(step > 0);
            ratio[which] = end_to_end(&observer.layers);
            figures[which] = observer.layers;
        }
        if let Some((counted, counts)) = counted {
            let which = usize::from(step > 0);
            units[which] = counted.figures();
            histograms[which] = counts.layers;
        }
        if !on_step(step, &course) {
            return Ok(None);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let step_seconds = (steps > 0).then(|| (descending.elapsed() - probing).as_secs_f64() / steps as f64);
    // Before the accuracy is measured: that moves no parameter, but a reader need not know it.
    let hash = descent.hash();
    keeper.end(&plan, &built, descent.arena());
    let accuracy = accuracy(&mut descent, held_out)?;
    let moved = moved(level, &plan, &built, &before, descent.arena().parameters);
    Ok(Some(Trained {
        accuracy,
        at_checkpoint,
        divergence,
        steps,
        multiply_adds: recipe.cost(data.form(), data.target(), found)?.of(steps),
        ratio,
        layers: figures,
        units,
        histograms,
        spectra: Default::default(),
        noise,
        moved,
        course,
        hash,
        seconds,
        step_seconds,
    }))
}

/// The fraction of labels that a network meets: their class, or their number but for a tolerance.
fn accuracy<T: Threads>(descent: &mut Descent<'_, T>, held_out: &Dataset) -> Result<f64, DescentError> {
    let correct = match held_out.target() {
        Target::Classes(_) => descent.correct(held_out.samples())?,
        Target::Number => descent.close(held_out.samples(), adding::TOLERANCE)?,
    };
    Ok(correct as f64 / held_out.labels().len().max(1) as f64)
}

/// Pre-trains the hidden layers. `go_on` is asked once for as many steps as there are layers. False if it stopped them.
fn pretrain<T: Threads>(
    stack: &Stack<'_>,
    parameters: &mut [f32],
    data: &Dataset,
    values: &mut [f32],
    seed: u64,
    level: Level,
    threads: &T,
    mut go_on: impl FnMut() -> bool,
) -> Result<bool, PretrainError> {
    let mut order = vec![0; data.len()];
    let memory = Memory { values, order: &mut order };
    let mut steps = 0;
    stack.train(parameters, data.inputs(), memory, seed, level, threads, || {
        steps += 1;
        steps % stack.layers() != 0 || go_on()
    })
}

/// The hidden layer (from 1) that the first layer with bad values belongs to; one more than the depth for the head; none
/// where there is none.
pub(crate) fn first_bad_layer(built: &Built, bad: Option<usize>) -> Option<usize> {
    let bad = bad?;
    if bad >= built.top_at {
        return Some(built.dense_at.len() + 1);
    }
    // The number of hidden layers that start at or before it.
    Some(built.dense_at.iter().filter(|dense| **dense <= bad).count().max(1))
}

/// Whether a layer's output holds a value that f32 does not reach, or that is none.
fn leaves_f32(arena: &Arena<'_>, place: &Place, rows: usize) -> bool {
    let values = &arena.values[place.output.start..][..rows * place.to.elements()];
    let exponent = arena.exponent(place.output);
    values.iter().any(|v| !libm::ldexpf(*v, exponent).is_finite())
}

fn record(
    course: &mut Course,
    step: usize,
    loss: f32,
    log10_gradient: Option<f64>,
    clipped: f64,
    observer: &Observer<'_>,
) {
    course.steps.push(step);
    course.loss.push(loss.is_finite().then_some(f64::from(loss)));
    course.log10_gradient.push(log10_gradient);
    course.clipped.push(clipped);
    course.log10_delta.push(observer.layers.iter().map(|l| l.log10_delta).collect());
    course.speed.push(observer.layers.iter().map(|l| l.speed).collect());
}

/// log10 of ||delta^1|| / ||delta^L||; for recurrent layers, of the gradient of the topmost one's state after the first
/// step over that after the last.
fn end_to_end(layers: &[LayerNorms]) -> Option<f64> {
    if let [first, .., last] = layers.last()?.through_time[..] {
        return Some(first? - last?);
    }
    Some(layers.first()?.log10_delta? - layers.last()?.log10_delta?)
}

/// How far the weights of each hidden layer moved, relative to where they started.
fn moved(level: Level, plan: &Plan<'_>, built: &Built, before: &[f32], after: &[f32]) -> Vec<Option<f64>> {
    built
        .dense_at
        .iter()
        .map(|&dense| {
            let place = &plan.places()[dense];
            let range = place.parameters..place.parameters + place.weight_count;
            let (before, after) = (&before[range.clone()], &after[range]);
            let difference: Vec<f32> = after.iter().zip(before).map(|(a, b)| a - b).collect();
            let difference = reduce::norm(level, &difference);
            let start = log10(reduce::norm(level, before), 0)?;
            if difference.is_zero() {
                return Some(0.0);
            }
            Some(10f64.powf(log10(difference, 0)? - start))
        })
        .collect()
}
