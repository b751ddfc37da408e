//! Recomputation of values: what checkpoints save memory with.
//!
//! A plan with checkpoints cuts the list of L layers into segments, each of which begins where no residual branch is open.
//! A segment is a network of its own: its input lies where the network's does, at the start of the values, and the values
//! of all segments share one place. The checkpoints, the inputs of all segments with their powers of two, are kept behind
//! it. A backward pass goes through the segments from the last, whose values are there, to the first; before each but the
//! last the segment runs forward again from its checkpoint, while the delta waits in a buffer.
//!
//! That gives the same bits: the same operations run on the same arrays, before any parameter of the segment moves. Running
//! statistics of batch norm, which are no function of the batch alone, stay, and nothing is shown to the watch again. What
//! is kept per layer beside values (statistics, standardised weights) is written anew with what it was.
//!
//! Memory: the values of the largest segment and all checkpoints: for segments of s layers of equal width, in the order of
//! s + L / s arrays instead of L. Cost: the forward pass of all segments but the last once more (a third of a step), and
//! per segment six copies of an array.
//!
//! Source: Chen, Xu, Zhang and Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".

use core::ops::Range;

use super::backward::Flow;
use super::{Arena, Mode, NetError, Pass, Place, Plan, Signal, Unwatched, Values, Watch};
use crate::threads::Threads;

impl<T: Threads> Pass<'_, T> {
    /// Brings back the values of the segment of layer `layer` after a forward pass in training mode over the same
    /// samples, before any parameter has moved: what [`Place::output`] and [`Place::kept`] of that layer name then lies
    /// in [`Arena::values`]. Without checkpoints all is there, and nothing is done.
    ///
    /// # Errors
    /// The rows or the arena do not fit the plan, see [`NetError`].
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// // Two layers, each a segment of its own: the first doubles, the second adds 1.
    /// let layers = [Layer::dense(1, Init::LECUN); 2];
    /// let mut places = [Place::default(); 2];
    /// let plan = Plan::with_checkpoints(1, 1, &layers, &mut places, 1)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// arena.parameters.copy_from_slice(&[2.0, 0.0, 1.0, 1.0]);
    /// arena.input_mut(&plan, 1)[0] = 5.0;
    /// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
    /// pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
    /// // Both segments share one place, in which the second has left its values.
    /// assert_eq!(arena.values[plan.places()[0].output.start], 11.0);
    /// pass.recompute(&mut arena, 0)?;
    /// assert_eq!(arena.values[plan.places()[0].output.start], 10.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recompute(&self, arena: &mut Arena<'_>, layer: usize) -> Result<(), NetError> {
        self.check_rows()?;
        let segment = self.plan.places.get(layer).map_or(0, |place| place.segment);
        match self.plan.segments().nth(segment) {
            Some(layers) => self.go_back(arena, segment, layers, &mut Unwatched),
            None => Ok(()),
        }
    }

    /// The same for a segment and its layers.
    pub(super) fn go_back(
        &self,
        arena: &mut Arena<'_>,
        segment: usize,
        layers: Range<usize>,
        watch: &mut impl Watch,
    ) -> Result<(), NetError> {
        if arena.segment == segment {
            return Ok(());
        }
        watch.recomputation_begins();
        let missing = NetError::Arena { layer: layers.start };
        let first = self.plan.places.get(layers.start).ok_or(missing)?;
        self.take_up(arena, first).ok_or(missing)?;
        self.forward_layers(arena, layers, Mode::Recomputation, &mut Unwatched)?;
        watch.recomputation_ends();
        Ok(())
    }

    /// Where a segment begins with layer `layer`: keeps its input, which the layer below has just given out, and takes it
    /// up.
    pub(super) fn enter(&self, arena: &mut Arena<'_>, layer: usize) -> Result<(), NetError> {
        let Some(place) = self.plan.places.get(layer) else { return Ok(()) };
        let below = layer.checked_sub(1).and_then(|below| self.plan.places.get(below));
        if self.plan.segments == 1 || below.is_some_and(|below| below.segment == place.segment) {
            return Ok(());
        }
        let input = below.map_or(Values::default(), |below| below.output);
        let kept = checkpoint(&self.plan, place);
        self.copy(arena, input, kept, place.from)
            .and_then(|()| self.take_up(arena, place))
            .ok_or(NetError::Arena { layer })
    }

    /// Puts the input of the segment of a layer where its layers look for it.
    fn take_up(&self, arena: &mut Arena<'_>, first: &Place) -> Option<()> {
        arena.segment = first.segment;
        self.copy(arena, checkpoint(&self.plan, first), Values::default(), first.from)
    }

    /// Copies an array of values, which do not overlap, with its power of two.
    fn copy(&self, arena: &mut Arena<'_>, from: Values, to: Values, signal: Signal) -> Option<()> {
        let length = self.elements_of(signal);
        let ranges = [from.start..from.start + length, to.start..to.start + length];
        let [source, target] = arena.values.get_disjoint_mut(ranges).ok()?;
        target.copy_from_slice(source);
        arena.set_exponent(to, arena.exponent(from))
    }
}

/// Where the input of a layer's segment is kept.
fn checkpoint(plan: &Plan<'_>, place: &Place) -> Values {
    Values { start: plan.values + place.checkpoint, exponent: plan.exponents + place.segment }
}

impl Flow<'_> {
    /// Lets the delta wait while the buffers of deltas serve a forward pass as scratch. Between segments no branch is open,
    /// so the first of the buffers for those is free.
    pub(super) fn wait(&mut self, length: usize) -> Option<()> {
        self.stash.get_mut(..length)?.copy_from_slice(self.delta.get(..length)?);
        Some(())
    }

    /// Goes on with it.
    pub(super) fn go_on(&mut self, length: usize) -> Option<()> {
        self.delta.get_mut(..length)?.copy_from_slice(self.stash.get(..length)?);
        Some(())
    }
}
