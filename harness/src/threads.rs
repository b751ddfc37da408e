//! How work is shared: a join of two halves, each with its half of the threads, so that the network core needs no thread
//! library.

#[cfg(feature = "std")]
mod team;

#[cfg(feature = "std")]
pub use team::{Team, Workers};

/// Something that can run two pieces of work, perhaps at the same time.
///
/// Work is split by rows or columns of a result, never along a sum, so the number of threads never shows in a bit.
///
/// ```
/// use isobath::threads::{Serial, Threads};
///
/// // Adds 1 to every count, by as many pieces as there are threads.
/// fn count_up<T: Threads>(threads: &T, counts: &mut [u32]) {
///     if threads.count() == 1 {
///         return counts.iter_mut().for_each(|count| *count += 1);
///     }
///     let (first, second) = counts.split_at_mut(counts.len() / 2);
///     threads.join(|half| count_up(half, first), |half| count_up(half, second));
/// }
///
/// let mut counts = [0; 10];
/// count_up(&Serial, &mut counts);
/// let workers = isobath::threads::Workers::new(3)?;
/// count_up(&workers.team(), &mut counts);
/// assert_eq!(counts, [2; 10]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Threads: Sync {
    /// Threads that work: pieces worth making.
    fn count(&self) -> usize;
    /// Nanoseconds from handing nothing over to its being done, which says what is worth it.
    fn handover(&self) -> usize;
    /// Runs both and returns when both are done. Each is given those it can share its own work among:
    /// `count() / 2` threads for the first, the others for the second.
    fn join(&self, first: impl FnOnce(&Self) + Send, second: impl FnOnce(&Self) + Send);
}

/// One thread: the caller's. All that microcontrollers have.
///
/// ```
/// use isobath::threads::{Serial, Threads};
///
/// assert_eq!((Serial.count(), Serial.handover()), (1, 0));
/// let (mut first, mut second) = (0, 0);
/// Serial.join(|_| first = 1, |_| second = 2);
/// assert_eq!((first, second), (1, 2));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Serial;

impl Threads for Serial {
    fn count(&self) -> usize {
        1
    }
    fn handover(&self) -> usize {
        0
    }
    fn join(&self, first: impl FnOnce(&Self) + Send, second: impl FnOnce(&Self) + Send) {
        first(self);
        second(self);
    }
}
