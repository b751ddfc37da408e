//! Norms per hidden layer, taken while a pass runs.

use isobath_kernels::reduce::{self, Norm};
use isobath_kernels::{Level, MatRef};
use serde::{Deserialize, Serialize};

use crate::architecture::Built;
use crate::net::Watch;

/// What was seen of one hidden layer in one step. Logarithms to base 10; none where the norm is zero or not finite.
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
/// // `trained` is the result of a network of three layers.
/// let layers = &trained.layers[0];
/// let decades = |l: usize| layers[l].log10_delta.expect("it is not zero");
/// assert_eq!(trained.ratio[0], Some(decades(0) - decades(2)));
/// assert!(layers.iter().all(|norms| norms.speed.is_some() && norms.through_time.is_empty()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerNorms {
    /// Of the layer's input.
    pub log10_x: Option<f64>,
    /// Of delta.
    pub log10_delta: Option<f64>,
    /// Of the weight gradient.
    pub log10_gw: Option<f64>,
    /// Speed of learning: the norm of delta summed over the batch.
    pub speed: Option<f64>,
    /// Of a recurrent layer: the gradient of what carries its state through time (c of an LSTM, else h) after each
    /// step, from the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through_time: Vec<Option<f64>>,
}

/// Collects [`LayerNorms`] of every hidden layer, and the norm of delta above the last one.
///
/// ```
/// use isobath::architecture::{Architecture, Head};
/// use isobath::net::{Arena, Mode, Pass, Place, Signal};
/// use isobath::threads::Serial;
/// use isobath::train::Observer;
/// use isobath_kernels::Level;
///
/// // Three linear layers of one unit with weights of 1/8: signal and gradient fade by 8 per layer.
/// let built = Architecture::plain(3, 1, "identity".parse()?, "lecun".parse()?).build(1, Head::None);
/// let mut places = vec![Place::default(); built.layers.len()];
/// let plan = built.plan(Signal::vector(1), 1, &mut places, None)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.parameters.copy_from_slice(&[0.125, 0.0, 0.125, 0.0, 0.125, 0.0]);
/// arena.input_mut(&plan, 1)[0] = 1.0;
///
/// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
/// let mut observer = Observer::new(pass.level, &built);
/// pass.forward(&mut arena, Mode::Training, &mut observer)?;
/// pass.backward(&mut arena, &[1.0], false, &mut observer)?;
/// let [first, _, last] = &observer.layers[..] else { panic!("three layers") };
/// let decades = |from: Option<f64>, to: Option<f64>| to.zip(from).map(|(to, from)| to - from);
/// let fade = 2.0 * 0.125_f64.log10();
/// assert!((decades(first.log10_x, last.log10_x).unwrap() - fade).abs() < 1e-6);
/// assert!((decades(last.log10_delta, first.log10_delta).unwrap() - fade).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Observer<'a> {
    level: Level,
    built: &'a Built,
    /// One entry per hidden layer.
    pub layers: Vec<LayerNorms>,
    /// log10 of the gradient with respect to the last hidden output.
    pub log10_top: Option<f64>,
    /// log10 of the gradient with respect to the network's input, if it was computed.
    pub log10_input: Option<f64>,
    /// Of a delta over the batch; none where they are not taken.
    sums: Option<Vec<f32>>,
}

impl<'a> Observer<'a> {
    /// An observer of the network `built`.
    pub fn new(level: Level, built: &'a Built) -> Self {
        let layers = vec![LayerNorms::default(); built.delta_at.len()];
        Self { level, built, layers, log10_top: None, log10_input: None, sums: Some(Vec::new()) }
    }

    /// An observer that leaves out the speed of learning, which takes a sum over the batch as well.
    pub(crate) fn of_norms(level: Level, built: &'a Built) -> Self {
        Self { sums: None, ..Self::new(level, built) }
    }
}

/// log10 of a norm times 2^exponent; none where it is zero or not finite.
pub(crate) fn log10(norm: Norm, exponent: i32) -> Option<f64> {
    if norm.is_zero() || !norm.is_finite() {
        return None;
    }
    let exponent = f64::from(norm.exponent) + f64::from(exponent);
    Some(f64::from(norm.significand).log10() + exponent * std::f64::consts::LOG10_2)
}

/// The norm of a matrix: of one slice where there are no gaps between its rows, which is what networks hand out, else of
/// its rows one after the other.
pub(crate) fn norm(level: Level, x: MatRef<'_>) -> Norm {
    if let Some(values) = x.as_slice() {
        return reduce::norm(level, values);
    }
    let rows: Vec<&[f32]> = (0..x.rows()).map(|i| x.row(i)).collect();
    reduce::norm_of_slices(level, &rows)
}

impl Watch for Observer<'_> {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        if let Ok(l) = self.built.dense_at.binary_search(&layer) {
            self.layers[l].log10_x = log10(norm(self.level, x), exponent);
        }
    }

    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        if layer == self.built.top_at {
            self.log10_top = log10(norm(self.level, delta), exponent);
        }
        if layer == 0 {
            self.log10_input = log10(norm(self.level, delta), exponent);
        }
        if let Ok(l) = self.built.delta_at.binary_search(&layer) {
            self.layers[l].log10_delta = log10(norm(self.level, delta), exponent);
            let Some(sums) = &mut self.sums else { return };
            sums.clear();
            sums.resize(delta.columns(), 0.0);
            let summed = reduce::column_sums(self.level, delta, sums);
            let log10_speed = summed.ok().and_then(|()| log10(reduce::norm(self.level, sums), exponent));
            self.layers[l].speed = log10_speed.map(|log10| 10f64.powf(log10));
        }
    }

    fn state(
        &mut self,
        layer: usize,
        step: usize,
        hidden: MatRef<'_>,
        memory: Option<MatRef<'_>>,
        exponent: i32,
    ) {
        if let Ok(l) = self.built.dense_at.binary_search(&layer) {
            let norms = &mut self.layers[l].through_time;
            // The last step comes first.
            if norms.len() < step {
                norms.resize(step, None);
            }
            norms[step - 1] = log10(norm(self.level, memory.unwrap_or(hidden)), exponent);
        }
    }

    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        if let Ok(l) = self.built.dense_at.binary_search(&layer) {
            self.layers[l].log10_gw = log10(norm(self.level, gradient), exponent);
        }
    }
}
