//! Training one network from one seed: what to train, how, and what was seen.

mod course;
mod forgetting;
mod histogram;
mod keeper;
mod loss;
mod noise;
mod observe;
mod run;
mod units;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, Built, Head};
use crate::data::{Form, Target};
use crate::init::Init;
use crate::net::update::{Clipping, Optimizer, Penalty};
use crate::net::{Place, Plan, PlanError, Restraint, Signal};
use crate::pretrain::Pretraining;
use crate::pretrain::stack::Stack;
use crate::probe::Spectrum;

pub use course::Course;
pub use forgetting::forgetting;
pub use histogram::{Histogram, LayerHistograms};
pub use keeper::{Keeper, Unkept};
pub use noise::GradientNoise;
pub use observe::{LayerNorms, Observer};
pub(crate) use observe::{log10, norm};
pub(crate) use run::first_bad_layer;
pub use run::{TrainError, train, train_kept};
pub use units::UnitFigures;
pub(crate) use units::Units;

/// What is minimised: always a mean over the batch.
///
/// ```
/// use isobath::train::Loss;
///
/// assert_eq!(Loss::default().to_string(), "cross-entropy");
/// // As a study's file names it.
/// assert_eq!(serde_json::from_str::<Loss>(r#""squared""#)?, Loss::Squared);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Softmax cross-entropy on a linear head; half the squared error where labels are numbers.
    #[default]
    CrossEntropy,
    /// The sum over classes of each sigmoid output's own cross-entropy, as the article's figures have it.
    SigmoidCrossEntropy,
    /// Half the squared error of sigmoid outputs against one-hot targets.
    Squared,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CrossEntropy => "cross-entropy",
            Self::SigmoidCrossEntropy => "sigmoid-cross-entropy",
            Self::Squared => "squared",
        })
    }
}

/// How the rate changes over a run.
///
/// ```
/// use isobath::train::Schedule;
///
/// assert_eq!(Schedule::Constant.factor(50, 100), 1.0);
/// assert_eq!(Schedule::Linear.factor(75, 100), 0.25);
/// // Up over the first ten of a hundred steps.
/// assert_eq!([0, 4, 9, 99].map(|step| Schedule::WarmUp.factor(step, 100)), [0.1, 0.5, 1.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Linearly down to 0 at the last step.
    Linear,
    /// Up over the first tenth of the steps, then constant.
    WarmUp,
}

impl Schedule {
    /// The factor on the rate at `step` of `steps`.
    pub fn factor(self, step: usize, steps: usize) -> f32 {
        match self {
            Self::Constant => 1.0,
            Self::Linear => 1.0 - step as f32 / steps.max(1) as f32,
            Self::WarmUp => {
                let warm = (steps / 10).max(1);
                if step < warm { (step + 1) as f32 / warm as f32 } else { 1.0 }
            }
        }
    }
}

/// Everything that determines a run but the data, the seed and the machine.
///
/// ```
/// use isobath::architecture::Architecture;
/// use isobath::data::{Form, Target};
/// use isobath::net::update::{Clipping, Optimizer, Penalty};
/// use isobath::net::{Restraint, Signal};
/// use isobath::train::{Loss, Recipe, Schedule};
///
/// let recipe = Recipe {
///     architecture: Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?),
///     loss: Loss::CrossEntropy,
///     optimizer: Optimizer::Momentum { momentum: 0.9, nesterov: false },
///     rate: 0.1,
///     schedule: Schedule::Constant,
///     clipping: Clipping::GlobalNorm { max_norm: 1.0 },
///     penalty: Penalty::None,
///     restraint: Restraint::default(),
///     pretraining: None,
///     steps: 100,
///     batch: 8,
///     record_every: 10,
///     checkpoint: None,
///     recompute_every: None,
/// };
/// assert_eq!(recipe.input(Form::Image(12, 12))?, Signal::vector(144));
/// // For two features and three classes: three dense layers, each activated, and the head.
/// assert_eq!(recipe.build(2, 3).layers.len(), 2 * 3 + 1);
/// let cost = recipe.cost(2, Target::Classes(3), 1000)?;
/// assert_eq!(cost.step, 3 * 8 * (2 * 4 + 4 * 4 + 4 * 4 + 4 * 3));
/// // Settled before anything is allocated; checkpoints take less.
/// let bytes = |recipe: Recipe| recipe.memory_bytes(2, Target::Classes(3), 1000);
/// let deep = Recipe { architecture: Architecture { depth: 100, ..recipe.architecture }, ..recipe };
/// assert!(bytes(Recipe { recompute_every: Some(10), ..deep })? < bytes(deep)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// The network's body.
    pub architecture: Architecture,
    /// What is minimised; it also chooses the head.
    pub loss: Loss,
    /// The rule that moves parameters.
    pub optimizer: Optimizer,
    /// Its rate at the start.
    pub rate: f32,
    /// How the rate changes.
    pub schedule: Schedule,
    /// How gradients are limited.
    pub clipping: Clipping,
    /// A penalty on the weights.
    pub penalty: Penalty,
    /// How weights are held back.
    pub restraint: Restraint,
    /// How the hidden layers are trained before the first step, if at all.
    pub pretraining: Option<Pretraining>,
    /// Optimiser steps.
    pub steps: usize,
    /// Samples per step.
    pub batch: usize,
    /// Steps between two records.
    pub record_every: usize,
    /// The number of steps after which accuracy is measured as well, where that is not the last one.
    pub checkpoint: Option<usize>,
    /// Hidden layers, or residual blocks, from one to the next whose input alone is kept for the backward pass, which computes
    /// all other values again; none keeps all values. It shows in no bit.
    pub recompute_every: Option<usize>,
}

/// What a run costs, in multiply-adds.
///
/// ```
/// use isobath::train::Cost;
///
/// let cost = Cost { step: 300, pretraining: 1000 };
/// assert_eq!(cost.of(10), 4000);
/// assert_eq!(cost.steps(4000), Some(10));
/// assert_eq!(cost.steps(999), None); // not even the pre-training
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Of one training step: forward, and backward with respect to both factors; not what is computed again.
    pub step: u64,
    /// Of the pre-training.
    pub pretraining: u64,
}

impl Cost {
    /// Of a whole run.
    pub fn of(self, steps: usize) -> u64 {
        self.step.saturating_mul(steps as u64).saturating_add(self.pretraining)
    }

    /// The steps that such a budget allows; none if the pre-training alone exceeds it.
    pub fn steps(self, budget: u64) -> Option<usize> {
        let left = budget.checked_sub(self.pretraining)?;
        Some((left / self.step.max(1)) as usize)
    }
}

impl Recipe {
    /// What the network makes of a sample: a sequence where it is recurrent (an image is one of its rows), an image where
    /// it has convolutions, else a row of numbers.
    ///
    /// # Errors
    /// It is recurrent and the samples have no steps, or it has convolutions and they are no images.
    ///
    /// ```
    /// use isobath::architecture::{Architecture, Recurrence};
    /// use isobath::data::Form;
    /// use isobath::net::{Cell, ForgetBias, Signal};
    /// use isobath::study::plan::StudyPlan;
    /// use isobath::train::{Recipe, TrainError};
    ///
    /// let plan = StudyPlan::load("remedies", None, false)?;
    /// let dense = plan.recipe(&plan.linear(), &plan.grid[0]);
    /// assert_eq!(dense.input(Form::Image(12, 10))?, Signal::vector(120));
    /// // A recurrent network reads an image row by row, and needs something to read.
    /// let cell = Some(Recurrence { cell: Cell::Lstm, forget_bias: ForgetBias::Fixed(1.0), clip: None });
    /// let lstm = Recipe { architecture: Architecture { depth: 1, cell, ..dense.architecture }, ..dense };
    /// assert_eq!(lstm.input(Form::Image(12, 10))?, Signal::image(12, 10, 1));
    /// let refused = lstm.input(Form::Vector(120));
    /// assert!(matches!(refused, Err(TrainError::NoSteps { features: 120 })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn input(&self, form: Form) -> Result<Signal, TrainError> {
        let Architecture { cell, convolution, .. } = self.architecture;
        let features = form.features();
        match form {
            _ if cell.is_none() && convolution.is_none() => Ok(Signal::vector(features)),
            Form::Image(height, width) => Ok(Signal::image(height, width, 1)),
            _ if convolution.is_some() => Err(TrainError::NoImages { features }),
            Form::Sequence { steps, features, .. } => Ok(Signal::sequence(steps, features)),
            Form::Vector(features) => Err(TrainError::NoSteps { features }),
        }
    }

    /// The layers of the whole network, head included, for samples of this form and so many outputs per label.
    pub fn build(&self, form: impl Into<Form>, classes: usize) -> Built {
        let head = match self.loss {
            Loss::CrossEntropy => Head::Linear(classes, Init::LECUN),
            Loss::SigmoidCrossEntropy => Head::Linear(classes, self.architecture.init),
            Loss::Squared => Head::Sigmoid(classes, self.architecture.init),
        };
        self.architecture.build(form, head)
    }

    /// Lays it out.
    fn plan<'a>(
        &self,
        form: Form,
        built: &'a Built,
        places: &'a mut [Place],
    ) -> Result<Plan<'a>, TrainError> {
        Ok(built.plan(self.input(form)?, self.batch, places, self.recompute_every)?)
    }

    /// Refuses a network that answers something else than the data ask.
    fn check(&self, plan: &Plan<'_>, form: Form, target: Target) -> Result<(), TrainError> {
        let given = plan.output_signal().positions();
        if given != form.answers() {
            return Err(TrainError::Answers { given, asked: form.answers() });
        }
        if target == Target::Number && self.loss != Loss::CrossEntropy {
            return Err(TrainError::LossOfNumbers { loss: self.loss });
        }
        Ok(())
    }

    /// What `of` says of the network's plan.
    fn planned<R>(
        &self,
        form: Form,
        target: Target,
        of: impl FnOnce(Plan<'_>) -> Result<R, TrainError>,
    ) -> Result<R, TrainError> {
        let built = self.build(form, target.outputs());
        let mut places = vec![Place::default(); built.layers.len()];
        let plan = self.plan(form, &built, &mut places)?;
        self.check(&plan, form, target)?;
        of(plan)
    }

    /// The multiply-adds of a run on so many samples of this form.
    ///
    /// # Errors
    /// As [`Recipe::memory_bytes`].
    pub fn cost(&self, form: impl Into<Form>, target: Target, samples: usize) -> Result<Cost, TrainError> {
        self.planned(form.into(), target, |plan| {
            let pretraining = match self.pretraining {
                Some(pretraining) => Stack::new(pretraining, plan)?.multiply_adds(samples),
                None => 0,
            };
            let step = plan.multiply_adds().saturating_mul(3).saturating_mul(self.batch as u64);
            Ok(Cost { step, pretraining })
        })
    }

    /// Bytes of the network of one run on one thread for samples of this form (a number of features, images, or
    /// sequences), and of its pre-training on so many of them, settled before anything is allocated.
    ///
    /// # Errors
    /// The layers are no network, one larger than the address space, one that cannot be pre-trained, or one for other
    /// data.
    pub fn memory_bytes(
        &self,
        form: impl Into<Form>,
        target: Target,
        samples: usize,
    ) -> Result<u64, TrainError> {
        self.planned(form.into(), target, |plan| {
            let mut elements = plan.arena_len(self.optimizer.moments(), 1)?;
            if let Some(pretraining) = self.pretraining {
                elements = elements.saturating_add(Stack::new(pretraining, plan)?.memory_len(samples, 1));
            }
            let bytes = (elements as u64).saturating_mul(size_of::<f32>() as u64);
            // Nothing larger can be allocated, whatever the machine says it has.
            if bytes > isize::MAX as u64 { Err(PlanError::TooLarge.into()) } else { Ok(bytes) }
        })
    }
}

/// Where a run's loss stopped being finite.
///
/// ```
/// use isobath::architecture::Architecture;
/// use isobath::data::{Sizes, Source};
/// use isobath::study::plan::StudyPlan;
/// use isobath::threads::Serial;
/// use isobath::train::{Divergence, Recipe, train};
/// use isobath_kernels::Level;
///
/// let plan = StudyPlan::load("remedies", None, false)?;
/// let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// // The first step leaves weights of some 1e30: two layers of these leave the range of f32.
/// let architecture = Architecture::plain(3, 4, "identity".parse()?, "xavier".parse()?);
/// let recipe = Recipe { architecture, rate: 1e30, steps: 10, batch: 8, ..row };
/// let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// let level = Level::detect();
/// let trained = train(&recipe, &splits.train, &splits.test, 1, level, &Serial, |_, _| true)?;
/// let divergence = trained.expect("nobody stopped it").divergence;
/// assert_eq!(divergence, Some(Divergence { step: 1, layer: 2 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The step.
    pub step: usize,
    /// The hidden layer of the first value that is not finite, from 1; one more than the depth is the output.
    pub layer: usize,
}

/// Whether nobody took histograms.
pub(crate) fn are_none(histograms: &[Vec<LayerHistograms>; 2]) -> bool {
    histograms.iter().all(Vec::is_empty)
}

/// What came out of a run.
///
/// ```
/// use isobath::architecture::Architecture;
/// use isobath::data::{Sizes, Source};
/// use isobath::study::plan::StudyPlan;
/// use isobath::threads::{Serial, Threads, Workers};
/// use isobath::train::{Recipe, Trained, train};
/// use isobath_kernels::Level;
///
/// let plan = StudyPlan::load("remedies", None, false)?;
/// let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// let recipe = Recipe { architecture, steps: 10, batch: 8, ..row };
/// let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// fn run(recipe: &Recipe, splits: &isobath::data::Splits, level: Level, threads: &impl Threads) -> Trained {
///     let done = train(recipe, &splits.train, &splits.test, 1, level, threads, |_, _| true);
///     done.expect("a network for these data").expect("nobody stopped it")
/// }
/// let trained = run(&recipe, &splits, Level::detect(), &Serial);
/// assert_eq!((trained.steps, trained.divergence), (10, None));
/// assert_eq!(trained.layers[0].len(), 3);
/// // Neither the instruction set nor the number of threads shows in a bit.
/// let workers = Workers::new(2)?;
/// assert_eq!(run(&recipe, &splits, Level::SCALAR, &workers.team()).hash, trained.hash);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Accuracy on the split that was asked for.
    pub accuracy: f64,
    /// The same at the recipe's checkpoint, if the run came by.
    #[serde(default)]
    pub at_checkpoint: Option<f64>,
    /// Where the loss stopped being finite, if it did.
    pub divergence: Option<Divergence>,
    /// Steps taken.
    pub steps: usize,
    /// Multiply-adds of those steps and of the pre-training.
    pub multiply_adds: u64,
    /// log10 of ||delta^1|| / ||delta^L|| before the first step and after the last; for recurrent networks, of the
    /// gradient of the topmost layer's state after the first step in time over that after the last.
    pub ratio: [Option<f64>; 2],
    /// Per hidden layer, before the first step and after the last.
    pub layers: [Vec<LayerNorms>; 2],
    /// What units do, per hidden layer, before the first step and after the last.
    #[serde(default)]
    pub units: [Vec<UnitFigures>; 2],
    /// Histograms of a few hidden layers, before the first step and after the last.
    #[serde(default, skip_serializing_if = "are_none")]
    pub histograms: [Vec<LayerHistograms>; 2],
    /// Singular values of the hidden layers' Jacobian, before the first step and after the last, where somebody asked for them.
    #[serde(default)]
    pub spectra: [Option<Spectrum>; 2],
    /// The noise of the gradient before the first step and after the last; none with batch norm.
    #[serde(default)]
    pub noise: [Option<GradientNoise>; 2],
    /// ||W_end - W_start|| / ||W_start|| per hidden layer.
    pub moved: Vec<Option<f64>>,
    /// The course over the recorded steps.
    pub course: Course,
    /// Hash of the final weights and gradients.
    pub hash: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Seconds of one step, with its share of the records and without pre-training; none without steps.
    #[serde(default)]
    pub step_seconds: Option<f64>,
}
