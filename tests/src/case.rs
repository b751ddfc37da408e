//! A network as the tests run it: its memory starts as NaN, its passes are written down.

use isobath::init::Init;
use isobath::net::{Arena, Layer, Place, Plan, PlanError, Signal, Watch};
use isobath::random::Random;
use isobath_kernels::MatRef;

/// Weights of moderate gain, biases that are not 0.
pub const INIT: Init = Init::gaussian(1.2, 0.2);

/// Threads that the arenas of tests have workspace for.
const THREADS: usize = 3;

/// One network.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// Numbers per sample of the input.
    pub input: usize,
    /// What a sample of it is.
    pub signal: Signal,
    /// Samples of the largest batch.
    pub batch: usize,
    /// The layers.
    pub layers: Vec<Layer>,
    /// Layers from one checkpoint to the next, if there are any.
    pub checkpoints: Option<usize>,
}

impl Case {
    /// A network with this input and batch.
    pub fn new(name: impl Into<String>, signal: impl Into<Signal>, batch: usize, layers: Vec<Layer>) -> Self {
        let signal = signal.into();
        Self { name: name.into(), input: signal.elements(), signal, batch, layers, checkpoints: None }
    }

    /// The same network with a checkpoint after so many layers.
    #[must_use]
    pub fn with_checkpoints(&self, every: usize) -> Self {
        Self { checkpoints: Some(every), ..self.clone() }
    }

    /// Lays it out.
    ///
    /// # Errors
    /// The layers are no network.
    pub fn plan<'a>(&'a self, places: &'a mut [Place]) -> Result<Plan<'a>, PlanError> {
        match self.checkpoints {
            Some(every) => Plan::with_checkpoints(self.signal, self.batch, &self.layers, places, every),
            None => Plan::new(self.signal, self.batch, &self.layers, places),
        }
    }

    /// Whether any layer is batch norm.
    pub fn has_batch_norm(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer, Layer::BatchNorm { .. }))
    }

    /// Runs `test` on the initialised network; its arena lies in memory full of NaN.
    ///
    /// # Panics
    /// The layers are no network.
    pub fn run<R>(&self, test: impl FnOnce(Plan<'_>, &mut Arena<'_>) -> R) -> R {
        self.run_in(0, f32::NAN, test)
    }

    /// The same with room for `moments` of the optimiser, in memory that held `garbage`.
    ///
    /// # Panics
    /// The layers are no network.
    pub fn run_in<R>(
        &self,
        moments: usize,
        garbage: f32,
        test: impl FnOnce(Plan<'_>, &mut Arena<'_>) -> R,
    ) -> R {
        let mut places = vec![Place::default(); self.layers.len()];
        let plan = self.plan(&mut places).expect(&self.name);
        let mut memory = vec![garbage; plan.arena_len(moments, THREADS).expect("fits in memory")];
        let mut arena = Arena::new(&plan, moments, THREADS, &mut memory).expect("is long enough");
        arena.initialise(&plan, &mut Random::new(7));
        test(plan, &mut arena)
    }
}

/// Moves every parameter a little, so that gains are not 1, shifts not 0, slopes not what they started as.
pub fn perturb(arena: &mut Arena<'_>) {
    let mut random = Random::new(8);
    for parameter in arena.parameters.iter_mut() {
        *parameter += random.uniform_in(-0.2, 0.2);
    }
}

/// Standard normal numbers.
pub fn normals(seed: u64, count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Random::new(seed).fill_normal(&mut values, 1.0);
    values
}

/// An array that a pass showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The layer it was shown for.
    pub layer: usize,
    /// As stored.
    pub values: Vec<f32>,
    /// The power of two that goes with it.
    pub exponent: i32,
}

impl Seen {
    fn new(layer: usize, matrix: MatRef<'_>, exponent: i32) -> Self {
        let values = (0..matrix.rows()).flat_map(|i| matrix.row(i).iter().copied()).collect();
        Self { layer, values, exponent }
    }

    /// The numbers that are meant; f64 holds them exactly down to 1e-300.
    pub fn exact(&self) -> Vec<f64> {
        self.values.iter().map(|v| libm::ldexp(f64::from(*v), self.exponent)).collect()
    }

    /// log10 of the norm of what is meant.
    pub fn log10_norm(&self) -> f64 {
        let values: Vec<f64> = self.values.iter().copied().map(f64::from).collect();
        crate::network::log10_norm(&values, self.exponent)
    }
}

/// Everything that passes show, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Inputs of layers.
    pub inputs: Vec<Seen>,
    /// What activations keep.
    pub slopes: Vec<Seen>,
    /// Gradients with respect to inputs of layers.
    pub deltas: Vec<Seen>,
    /// Gradients with respect to weights.
    pub weight_gradients: Vec<Seen>,
}

impl Watch for Record {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        self.inputs.push(Seen::new(layer, x, exponent));
    }
    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        self.slopes.push(Seen::new(layer, kept, 0));
    }
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        self.deltas.push(Seen::new(layer, delta, exponent));
    }
    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        self.weight_gradients.push(Seen::new(layer, gradient, exponent));
    }
}
