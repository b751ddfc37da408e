//! Sizes around the end of the address space, on machines of 32 bits and of 64: what no allocation can hold is refused, by arithmetic that
//! does not wrap, and what fits is laid out. Nothing here is allocated, and `ci/cross` runs it where a word has 32 bits.

use isobath::activation::Activation;
use isobath::architecture::Architecture;
use isobath::data::{Form, Target};
use isobath::init::Init;
use isobath::memory::Buffer;
use isobath::study::plan::StudyPlan;
use isobath::train::Recipe;
use isobath_kernels::gemm::{Gemm, PackedB, Shape};
use isobath_kernels::view::{MatMut, MatRef, ViewError};

/// The most bytes of an allocation.
const MOST: u64 = isize::MAX as u64;

/// A network of hidden layers of this width, trained with AdamW: an arena of a little more than 2 x 4 width^2 elements.
fn recipe(width: usize) -> Recipe {
    let plan = StudyPlan::load("remedies", None, false).expect("it is built in");
    let setting = plan.grid.iter().find(|setting| setting.optimizer.moments() == 2).expect("one of Adam's");
    let architecture = Architecture::plain(3, width, Activation::Tanh, Init::XAVIER);
    Recipe { architecture, ..plan.recipe(&plan.groups[0].rows[0], setting) }
}

fn bytes(width: usize) -> Result<u64, String> {
    let (form, target) = (Form::Vector(16), Target::Classes(4));
    recipe(width).memory_bytes(form, target, 100).map_err(|error| error.to_string())
}

/// The arena's elements are counted without overflow, and its bytes in 64 bits, but no allocation can be so large.
#[test]
fn a_network_whose_size_can_be_counted_but_not_allocated_is_refused() {
    let half = usize::BITS / 2;
    // 32 width^2 bytes are a quarter of what can be allocated.
    let fits = bytes(1 << (half - 4)).expect("a quarter of the address space");
    assert!(fits > MOST / 4 && fits < MOST / 2, "{fits}");
    // And once, 25/16 times and four times that, the last of which 64 bits cannot hold.
    for width in [1 << (half - 3), 5 << (half - 5), 1 << (half - 2)] {
        let error = bytes(width).expect_err("more than any allocation");
        assert_eq!(error, "the network does not fit in this machine's address space", "{width}");
    }
    // And what cannot be counted.
    for width in [1 << half, usize::MAX / 2, usize::MAX] {
        let error = bytes(width).expect_err("more than there are numbers");
        assert_eq!(error, "the network does not fit in this machine's address space", "{width}");
    }
}

/// The largest width that fits, and the next one that does not, are neighbours of one bound.
#[test]
fn the_bound_is_that_of_an_allocation() {
    let (mut fits, mut refused) = (1, 1 << (usize::BITS / 2));
    while refused - fits > 1 {
        let middle = fits + (refused - fits) / 2;
        if bytes(middle).is_ok() { fits = middle } else { refused = middle }
    }
    let largest = bytes(fits).expect("it fits");
    // One more unit costs some 64 width bytes.
    assert!(largest <= MOST && largest > MOST - 100 * fits as u64, "{largest} of {MOST}");
}

#[test]
fn memory_beyond_the_address_space_is_refused() {
    for length in
        [isize::MAX as usize / 4 + 1, isize::MAX as usize / 2, usize::MAX / 4, usize::MAX / 4 + 1, usize::MAX]
    {
        assert!(Buffer::zeros(length).is_err(), "{length} floats");
    }
}

/// Views count in words, as their slices' lengths do.
#[test]
fn views_of_more_than_there_is_are_refused() {
    let mut data = [0.0; 8];
    let half = 1 << (usize::BITS / 2);
    for (rows, columns, stride) in [
        (half, half, half),
        (usize::MAX, 2, 2),
        (2, usize::MAX, usize::MAX),
        (3, 1, usize::MAX / 2 + 1),
        (usize::MAX, 1, 8),
    ] {
        assert_eq!(MatRef::with_stride(&data, rows, columns, stride).unwrap_err(), ViewError::TooLarge);
        assert_eq!(MatMut::with_stride(&mut data, rows, columns, stride).unwrap_err(), ViewError::TooLarge);
    }
    // The last size that can be counted is too much for the slice alone.
    let needed = usize::MAX;
    assert_eq!(MatRef::new(&data, 1, needed).unwrap_err(), ViewError::TooShort { needed, found: 8 });
    // Where there is no element, there is no end.
    assert!(MatRef::with_stride(&data, usize::MAX, 0, usize::MAX).is_ok());
}

/// What a product has use for is bounded, and so is its workspace, whatever the shape; a packed factor's length stops at the last number.
#[test]
fn lengths_for_products_beyond_memory_do_not_wrap() {
    for (transpose_a, transpose_b) in [(false, false), (false, true), (true, false), (true, true)] {
        let workspace = |m, n, k| Gemm::workspace_len_for(Shape { m, n, k, transpose_a, transpose_b });
        let large = 1 << 14;
        let bounded = workspace(large, large, large);
        assert!(bounded > 0 || cfg!(target_os = "none"));
        for (m, n, k) in [(usize::MAX, large, large), (large, usize::MAX, large), (large, large, usize::MAX)]
        {
            assert_eq!(workspace(m, n, k), bounded, "{m} {n} {k}");
        }
        assert_eq!(workspace(usize::MAX, usize::MAX, usize::MAX), bounded);
    }
    assert_eq!(PackedB::len_for(usize::MAX, usize::MAX), usize::MAX);
}
