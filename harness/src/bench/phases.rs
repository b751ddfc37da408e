//! Where the time of a training step goes, seen from outside: a network calls its watcher between any two layers, so the time
//! from call to call is that of the layer between them.
//!
//! Cost: a reading of the clock per call, some 25 ns; the phases therefore add up to a little more than a step.

use std::time::{Duration, Instant};

use isobath_kernels::MatRef;
use serde::Serialize;

use crate::net::{Layer, Watch};

/// A share of the step for each kind of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Phases<T> {
    /// Dense layers, convolutions and recurrent layers: their three products, bias sums, and a look at the largest element.
    pub products: T,
    /// Activations with their derivatives, and pooling.
    pub activations: T,
    /// Normalisations.
    pub normalisations: T,
    /// Skip connections.
    pub skips: T,
    /// The optimiser.
    pub optimizer: T,
    /// Values that the backward pass computes again.
    pub recomputation: T,
    /// The loss, drawing the batch, and all else.
    pub rest: T,
}

impl Phases<Duration> {
    /// The phase that a layer's time belongs to.
    fn of(&mut self, layer: &Layer) -> &mut Duration {
        match layer {
            Layer::Dense(_) | Layer::Standardised(_) | Layer::Convolution(_) | Layer::Recurrent(_) => {
                &mut self.products
            }
            Layer::Activation(_) | Layer::MaxPool { .. } | Layer::AveragePool | Layer::Flatten => {
                &mut self.activations
            }
            Layer::BatchNorm { .. } | Layer::LayerNorm { .. } => &mut self.normalisations,
            Layer::SkipStart | Layer::SkipEnd { .. } | Layer::LearnedSkipEnd { .. } => &mut self.skips,
        }
    }

    /// Percent of their sum.
    pub(super) fn percent(&self) -> Phases<f64> {
        let Self { products, activations, normalisations, skips, optimizer, recomputation, rest } = *self;
        let all = products + activations + normalisations + skips + optimizer + recomputation + rest;
        let of = |part: Duration| 100.0 * part.as_secs_f64() / all.as_secs_f64().max(1e-30);
        Phases {
            products: of(products),
            activations: of(activations),
            normalisations: of(normalisations),
            skips: of(skips),
            optimizer: of(optimizer),
            recomputation: of(recomputation),
            rest: of(rest),
        }
    }
}

/// Takes the time from call to call.
pub(super) struct Stopwatch<'a> {
    layers: &'a [Layer],
    /// The moment of the last call.
    last: Instant,
    /// The layer whose forward pass has begun.
    begun: Option<usize>,
    pub(super) phases: Phases<Duration>,
}

impl<'a> Stopwatch<'a> {
    pub(super) fn new(layers: &'a [Layer]) -> Self {
        Self { layers, last: Instant::now(), begun: None, phases: Phases::default() }
    }

    /// Begins a step: what has passed since the last one belongs to none.
    pub(super) fn restart(&mut self) {
        self.last = Instant::now();
        self.begun = None;
    }

    /// The time since the last call.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.last, now)
    }

    /// Ends what has begun as something that is no layer.
    pub(super) fn rest(&mut self) {
        let lap = self.lap();
        match self.begun.take().and_then(|layer| self.layers.get(layer)) {
            Some(layer) => *self.phases.of(layer) += lap,
            None => self.phases.rest += lap,
        }
    }
}

impl Watch for Stopwatch<'_> {
    fn input(&mut self, layer: usize, _: MatRef<'_>, _: i32) {
        self.rest();
        self.begun = Some(layer);
    }

    fn delta(&mut self, layer: usize, _: MatRef<'_>, _: i32) {
        let lap = self.lap();
        match self.layers.get(layer) {
            Some(below) => *self.phases.of(below) += lap,
            // The top: from the loss to the first layer's turn.
            None => self.phases.rest += lap,
        }
    }

    fn recomputation_begins(&mut self) {
        // The loss at most: the delta has been shown.
        self.rest();
    }

    fn recomputation_ends(&mut self) {
        let lap = self.lap();
        self.phases.recomputation += lap;
    }

    fn update_begins(&mut self, layer: usize) {
        // Of the first layer, of whose input nobody wants the gradient, this is the end.
        self.begun = Some(layer);
        self.rest();
    }

    fn update_ends(&mut self, _: usize) {
        let lap = self.lap();
        self.phases.optimizer += lap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::init::Init;

    #[test]
    fn every_lap_goes_to_the_layer_between_two_calls() {
        let layers = [Layer::dense(1, Init::XAVIER), Layer::Activation(Activation::Tanh)];
        let value = [0.0];
        let x = MatRef::new(&value, 1, 1).unwrap();
        let mut watch = Stopwatch::new(&layers);
        let pause = || std::thread::sleep(Duration::from_millis(2));
        watch.input(0, x, 0);
        pause();
        watch.input(1, x, 0);
        pause();
        watch.rest();
        pause();
        watch.delta(2, x, 0);
        pause();
        watch.delta(1, x, 0);
        pause();
        watch.update_begins(1);
        pause();
        watch.update_ends(1);
        watch.recomputation_begins();
        pause();
        watch.recomputation_ends();
        pause();
        watch.update_begins(0);
        pause();
        watch.update_ends(0);
        let Phases { products, activations, normalisations, skips, optimizer, recomputation, rest } =
            watch.phases;
        let pauses = |count: u64| Duration::from_millis(2 * count);
        assert!(
            products >= pauses(2) && activations >= pauses(2) && optimizer >= pauses(2) && rest >= pauses(1)
        );
        assert!(recomputation >= pauses(1));
        assert_eq!((normalisations, skips), (Duration::ZERO, Duration::ZERO));
        let percent = watch.phases.percent();
        let all = percent.products + percent.activations + percent.optimizer + percent.recomputation;
        let all = all + percent.rest;
        assert!((all - 100.0).abs() < 1e-9);
    }
}
