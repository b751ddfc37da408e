//! The order that samples are drawn in: without replacement, a new random order each time they are used up.

use crate::random::Random;

/// An endless sequence of indices of samples.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    order: &'a mut [u32],
    next: usize,
    random: Random,
}

impl<'a> Order<'a> {
    /// Of as many samples as `order` has elements.
    pub(crate) fn new(order: &'a mut [u32], random: Random) -> Self {
        for (at, sample) in order.iter_mut().enumerate() {
            *sample = at as u32;
        }
        let next = order.len();
        Self { order, next, random }
    }

    /// The next sample; 0 if there are none.
    pub(crate) fn next(&mut self) -> usize {
        if self.next >= self.order.len() {
            self.random.shuffle(self.order);
            self.next = 0;
        }
        let sample = self.order.get(self.next).map_or(0, |sample| *sample as usize);
        self.next += 1;
        sample
    }
}
