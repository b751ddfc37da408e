//! What may look on while a network runs: the network calls, and knows nothing of what is measured.

use isobath_kernels::MatRef;

/// An onlooker of forward and backward passes. Every method does nothing unless it is written.
///
/// Matrices have a row for each position of each sample, see [`Signal`](super::Signal).
/// An array stands for `stored * 2^exponent`: in deep networks signals and gradients leave the range of f32, so both
/// passes carry a power of two beside it.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Watch};
/// use isobath::threads::Serial;
/// use isobath_kernels::{Level, MatRef};
///
/// // Collects the first element of the delta below each layer, from the top.
/// #[derive(Default)]
/// struct Deltas(Vec<(usize, f32)>);
///
/// impl Watch for Deltas {
///     fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
///         self.0.push((layer, delta.row(0)[0] * 2.0_f32.powi(exponent)));
///     }
/// }
///
/// // Three layers that halve: so does the gradient on its way down.
/// let layers = [Layer::dense(1, Init::LECUN); 3];
/// let mut places = [Place::default(); 3];
/// let plan = Plan::new(1, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.parameters.copy_from_slice(&[0.5, 0.0, 0.5, 0.0, 0.5, 0.0]);
/// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
/// let mut seen = Deltas::default();
/// pass.forward(&mut arena, Mode::Training, &mut seen)?;
/// pass.backward(&mut arena, &[1.0], true, &mut seen)?;
/// assert_eq!(seen.0, [(3, 1.0), (2, 0.5), (1, 0.25), (0, 0.125)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Watch {
    /// The input of layer `layer` in a forward pass.
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        let _ = (layer, x, exponent);
    }
    /// What an activation keeps: phi'(h), or for PReLU h on its power of two, of which only the sign matters here.
    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        let _ = (layer, kept);
    }
    /// The gradient of the loss with respect to the input of layer `layer`; for `layer` = number of layers, with
    /// respect to the network's output.
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        let _ = (layer, delta, exponent);
    }
    /// The gradient with respect to the state of the recurrent layer `layer` after `step` (from 1 to T), as it goes on
    /// back in time: h, a row per row of the batch, and the LSTM's c. Shown from the last step to the first.
    fn state(
        &mut self,
        layer: usize,
        step: usize,
        hidden: MatRef<'_>,
        memory: Option<MatRef<'_>>,
        exponent: i32,
    ) {
        let _ = (layer, step, hidden, memory, exponent);
    }
    /// The gradient with respect to the weights of a dense layer, or a recurrent one (W, then U, row by row), before
    /// clipping and penalties.
    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        let _ = (layer, gradient, exponent);
    }
    /// A backward pass computes values again that the forward pass has not kept. They are not shown a second time.
    fn recomputation_begins(&mut self) {}
    /// They are there.
    fn recomputation_ends(&mut self) {}
    /// The layer is updated in a backward pass that is a step as well, see [`Pass::descend`](super::Pass::descend).
    fn update_begins(&mut self, layer: usize) {
        let _ = layer;
    }
    /// It has been.
    fn update_ends(&mut self, layer: usize) {
        let _ = layer;
    }
}

/// Nobody looks on.
///
/// ```
/// use isobath::net::{Unwatched, Watch};
/// use isobath_kernels::MatRef;
///
/// // Counts the layers of a forward pass.
/// #[derive(Default)]
/// struct Layers(usize);
///
/// impl Watch for Layers {
///     fn input(&mut self, _: usize, _: MatRef<'_>, _: i32) {
///         self.0 += 1;
///     }
/// }
///
/// // Two look on beside each other; one of these is nobody.
/// let mut both = (Layers::default(), Unwatched);
/// both.input(0, MatRef::new(&[1.0], 1, 1)?, 0);
/// assert_eq!(both.0.0, 1);
/// # Ok::<(), isobath_kernels::view::ViewError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// Somebody looks on, or nobody.
impl<W: Watch> Watch for Option<W> {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        if let Some(watch) = self {
            watch.input(layer, x, exponent);
        }
    }
    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        if let Some(watch) = self {
            watch.slope(layer, kept);
        }
    }
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        if let Some(watch) = self {
            watch.delta(layer, delta, exponent);
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
        if let Some(watch) = self {
            watch.state(layer, step, hidden, memory, exponent);
        }
    }
    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        if let Some(watch) = self {
            watch.weight_gradient(layer, gradient, exponent);
        }
    }
    fn recomputation_begins(&mut self) {
        if let Some(watch) = self {
            watch.recomputation_begins();
        }
    }
    fn recomputation_ends(&mut self) {
        if let Some(watch) = self {
            watch.recomputation_ends();
        }
    }
    fn update_begins(&mut self, layer: usize) {
        if let Some(watch) = self {
            watch.update_begins(layer);
        }
    }
    fn update_ends(&mut self, layer: usize) {
        if let Some(watch) = self {
            watch.update_ends(layer);
        }
    }
}

/// Two look on, the first one first.
impl<A: Watch, B: Watch> Watch for (A, B) {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        self.0.input(layer, x, exponent);
        self.1.input(layer, x, exponent);
    }
    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        self.0.slope(layer, kept);
        self.1.slope(layer, kept);
    }
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        self.0.delta(layer, delta, exponent);
        self.1.delta(layer, delta, exponent);
    }
    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        self.0.weight_gradient(layer, gradient, exponent);
        self.1.weight_gradient(layer, gradient, exponent);
    }
    fn state(
        &mut self,
        layer: usize,
        step: usize,
        hidden: MatRef<'_>,
        memory: Option<MatRef<'_>>,
        exponent: i32,
    ) {
        self.0.state(layer, step, hidden, memory, exponent);
        self.1.state(layer, step, hidden, memory, exponent);
    }
    fn recomputation_begins(&mut self) {
        self.0.recomputation_begins();
        self.1.recomputation_begins();
    }
    fn recomputation_ends(&mut self) {
        self.0.recomputation_ends();
        self.1.recomputation_ends();
    }
    fn update_begins(&mut self, layer: usize) {
        self.0.update_begins(layer);
        self.1.update_begins(layer);
    }
    fn update_ends(&mut self, layer: usize) {
        self.0.update_ends(layer);
        self.1.update_ends(layer);
    }
}
