//! No public kernel reads or writes one element beyond its operands: each runs on every level over operands that end, and
//! then that begin, beside a page that cannot be touched. What overreads does not fail here, it kills the test.
//!
//! What lies between the rows of a matrix is no concern of this test but of those that poison it (`gemm.rs` and others).
#![cfg(unix)]

mod guard_pages {
    pub(crate) mod matrices;
    pub(crate) mod products;
    pub(crate) mod slices;
}

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use guard_pages::{matrices, products, slices};
use isobath_kernels::Level;
use isobath_tests::guard::{Edge, Guarded, Operands};
use isobath_tests::{levels, public_api};
use rayon::prelude::*;

/// Most operands of a kernel.
const OPERANDS: usize = 10;
/// Elements of the largest operand: A, 390 rows that are 14,040 apart.
const LARGEST: usize = 390 * 14_040;

/// The runs on one level at one edge.
struct Runs {
    level: Level,
    operands: Operands,
    /// What operands are filled with.
    values: Vec<f32>,
    /// How often each kernel ran.
    counts: BTreeMap<&'static str, u64>,
}

impl Runs {
    fn new(level: Level, edge: Edge) -> Self {
        // From 1e-3 to 1e3 with every third one negative, and now and then a value that takes functions off their straight path.
        let value = |i: usize| match i % 41 {
            17 => 1e30,
            29 => -200.0,
            _ => f32::powi(1.4, (i * 7 % 41) as i32 - 20) * if i.is_multiple_of(3) { -1.0 } else { 1.0 },
        };
        let values = (0..LARGEST).map(value).collect();
        Self { level, operands: Operands::new(edge, OPERANDS, 4 * LARGEST), values, counts: BTreeMap::new() }
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }
}

#[test]
fn no_kernel_touches_memory_beyond_its_operands() {
    let levels = levels::all();
    let cases: Vec<(Level, Edge)> =
        levels.iter().flat_map(|level| [(*level, Edge::Start), (*level, Edge::End)]).collect();
    let counts: Vec<BTreeMap<&str, u64>> = cases
        .into_par_iter()
        .with_max_len(1)
        .map(|(level, edge)| {
            let mut runs = Runs::new(level, edge);
            slices::run(&mut runs);
            matrices::run(&mut runs);
            products::run(&mut runs);
            runs.counts
        })
        .collect();
    // Numbers that are no slices, and a counter.
    let without_memory = |name: &str| {
        name.starts_with("reduce::Scaled") || name.starts_with("simd::fma") || name.ends_with("::advance")
    };
    for counts in &counts {
        let missing: Vec<String> = public_api::kernels()
            .into_iter()
            .filter(|name| !without_memory(name) && !counts.contains_key(name.as_str()))
            .collect();
        assert!(missing.is_empty(), "kernels that never met an unmapped page: {missing:#?}");
    }
    let runs: u64 = counts.iter().flat_map(BTreeMap::values).sum();
    println!("{} kernels on {} levels at two edges: {runs} runs", counts[0].len(), levels.len());
}

/// What the test of the test asks its child to read.
const READ: &str = "ISOBATH_TEST_READ";

/// Does nothing unless its parent asks for a read, see below.
#[test]
fn reads_what_its_parent_asks_for() {
    let Ok(read) = std::env::var(READ) else { return };
    let (edge, beyond) = match read.as_str() {
        "before" => (Edge::Start, true),
        "first" => (Edge::Start, false),
        "last" => (Edge::End, false),
        "behind" => (Edge::End, true),
        other => panic!("{READ}={other}"),
    };
    let mut memory = Guarded::new(64);
    memory.place(edge, &[3.0_f32; 5]);
    assert_eq!(memory.read_at_the_edge(edge, 5, beyond), 3.0);
}

/// One float too far kills the process, the last one within does not: else the test above could not fail.
#[test]
fn one_float_too_far_is_fatal() {
    for (read, fatal) in [("before", true), ("first", false), ("last", false), ("behind", true)] {
        let program = std::env::current_exe().expect("this test");
        let child = Command::new(program)
            .args(["--exact", "reads_what_its_parent_asks_for"])
            .env(READ, read)
            .output()
            .expect("a second run of this test");
        const BUS_ERROR: [i32; 2] = [7, 10];
        const SEGMENTATION_FAULT: i32 = 11;
        let signal = child.status.signal();
        let killed = signal.is_some_and(|s| s == SEGMENTATION_FAULT || BUS_ERROR.contains(&s));
        assert_eq!(killed, fatal, "reading {read}: {}", child.status);
        assert_eq!(child.status.success(), !fatal, "reading {read}: {}", child.status);
    }
}
