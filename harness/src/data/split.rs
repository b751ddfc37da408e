//! Splits the samples of files, where there may be fewer than asked for: a seeded shuffle, then the first
//! so many to each part. Enough samples: each part gets what was asked. Too few: a part that is held back
//! gets at most a sixth, training the rest.

use super::source::Sizes;
use crate::random::Random;

/// Where a file's samples go, as indices into it.
#[derive(Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) train: Vec<u32>,
    pub(super) validation: Vec<u32>,
    pub(super) test: Vec<u32>,
}

/// Splits `available` samples; a file with a test part of its own asks for a test size of 0.
pub(super) fn split(available: u32, sizes: Sizes, random: &mut Random) -> Parts {
    let sixth = (available as usize / 6).max(1);
    let wanted = sizes.train.saturating_add(sizes.validation).saturating_add(sizes.test);
    let held_back = |asked: usize| if wanted <= available as usize { asked } else { asked.min(sixth) };
    let mut order: Vec<u32> = (0..available).collect();
    random.shuffle(&mut order);
    let mut take = |count: usize| order.split_off(order.len() - count.min(order.len()));
    Parts {
        test: take(held_back(sizes.test)),
        validation: take(held_back(sizes.validation)),
        train: take(sizes.train),
    }
}

/// A seeded choice of at most `asked` of the available samples.
pub(super) fn choose(available: u32, asked: usize, random: &mut Random) -> Vec<u32> {
    split(available, Sizes { train: asked, validation: 0, test: 0 }, random).train
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(available: u32, train: usize, validation: usize, test: usize) -> [usize; 3] {
        let parts = split(available, Sizes { train, validation, test }, &mut Random::new(1));
        let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
        all.sort_unstable();
        all.dedup();
        let counts = [parts.train.len(), parts.validation.len(), parts.test.len()];
        assert_eq!(all.len(), counts.iter().sum::<usize>(), "a sample is in two parts");
        assert!(all.iter().all(|&i| i < available));
        counts
    }

    #[test]
    fn enough_samples_give_what_was_asked() {
        assert_eq!(counts(1000, 500, 300, 200), [500, 300, 200]);
        assert_eq!(counts(1000, 50, 400, 0), [50, 400, 0]);
    }

    #[test]
    fn too_few_samples_keep_a_sixth() {
        assert_eq!(counts(600, 500, 300, 200), [400, 100, 100]);
        assert_eq!(counts(600, 4000, 1000, 0), [500, 100, 0]);
        assert_eq!(counts(600, 590, 50, 0), [550, 50, 0]);
        assert_eq!(counts(3, usize::MAX, usize::MAX, 1), [1, 1, 1]);
        assert_eq!(counts(0, 5, 5, 5), [0, 0, 0]);
    }

    #[test]
    fn the_order_is_the_seeds() {
        let sizes = Sizes { train: 50, validation: 10, test: 10 };
        let of = |seed| split(100, sizes, &mut Random::new(seed));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_ne!(of(1).train, (0..50).collect::<Vec<u32>>());
    }
}
