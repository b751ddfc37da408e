//! One process that runs studies for a long time keeps neither memory nor file descriptors: `ci/soak`.
//!
//! `leaks.rs` looks in seconds at what was allocated and not given back, to the byte. Resident memory also has in it what the allocator
//! keeps for itself and what is mapped past it, so it differs from study to study, but may not grow.
//!
//! `ISOBATH_SOAK_MINUTES` says how long, 30 minutes by default.
#![cfg(target_os = "linux")]

#[path = "common/held.rs"]
mod held;

use std::fs;
use std::time::{Duration, Instant};

use held::{Held, SMALL, WARM};
use tempfile::TempDir;

/// What the process held after one study.
#[derive(Clone, Copy, Debug)]
struct Sample {
    held: Held,
    /// KiB of resident memory.
    resident: usize,
}

impl Sample {
    fn now() -> Self {
        let held = Held::now();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Self { held, resident: line.trim().strip_suffix(" kB").unwrap().parse().unwrap() }
    }
}

/// KiB of resident memory by which the allocator may hold more at one time than at another: glibc keeps an arena for each thread that
/// runs beside others, of somewhat more than 1 MiB here, whose pages it touches one after the other and rarely gives back.
const RESIDENT: usize = 2048;
/// Blocks and bytes that threads which have ended leave for later: the list of rayon's queues has one block of 2304 bytes for each
/// until it is next looked through.
const BLOCKS: usize = 8;
const BYTES: usize = BLOCKS * 2304;

/// What grew, if anything, from the second third of the time to the last one, by their medians. The first third is for caches
/// to fill.
fn growth(samples: &[Sample]) -> Option<String> {
    let third = samples.len() / 3;
    let median = |samples: &[Sample], of: fn(&Sample) -> usize| {
        let mut sorted: Vec<usize> = samples.iter().map(of).collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    };
    let grown = |of: fn(&Sample) -> usize, slack: usize, what: &str| {
        let before = median(&samples[third..2 * third], of)?;
        let after = median(&samples[2 * third..], of)?;
        (after > before + slack).then(|| format!("{what} grew from {before} to {after}"))
    };
    grown(|sample| sample.held.bytes, BYTES, "allocated bytes")
        .or_else(|| grown(|sample| sample.held.blocks, BLOCKS, "allocated blocks"))
        .or_else(|| grown(|sample| sample.held.descriptors, 0, "open file descriptors"))
        .or_else(|| grown(|sample| sample.resident, RESIDENT, "KiB of resident memory"))
}

/// The most samples that are kept, in memory that is there from the start.
const MOST: usize = 50_000;

#[test]
#[ignore = "takes half an hour: ci/soak"]
fn studies_for_half_an_hour_leave_nothing_behind() {
    let minutes: f64 = std::env::var("ISOBATH_SOAK_MINUTES").map_or(30.0, |m| m.parse().expect("a number"));
    let folder = TempDir::new().unwrap();
    let study = || held::study(SMALL, folder.path(), false).unwrap();
    let hash = study();
    for _ in 1..WARM {
        assert_eq!(study(), hash);
    }
    let mut samples = Vec::with_capacity(MOST);
    samples.push(Sample::now());
    let begun = Instant::now();
    let mut said = begun;
    while begun.elapsed() < Duration::from_secs_f64(60.0 * minutes) && samples.len() < MOST {
        assert_eq!(study(), hash);
        samples.push(Sample::now());
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            let seconds = begun.elapsed().as_secs_f64();
            println!("{seconds:4.0} s, {} studies: {:?}", samples.len(), samples[samples.len() - 1]);
        }
    }
    println!(
        "{} studies in {:.0} s after {WARM}\nfirst {:?}\nlast {:?}",
        samples.len() - 1,
        begun.elapsed().as_secs_f64(),
        samples[0],
        samples[samples.len() - 1]
    );
    let range = |of: fn(&Sample) -> usize| {
        let values = samples.iter().map(of);
        format!("{} to {}", values.clone().min().unwrap(), values.max().unwrap())
    };
    println!(
        "{} KiB resident, {} bytes in {} blocks, {} descriptors",
        range(|s| s.resident),
        range(|s| s.held.bytes),
        range(|s| s.held.blocks),
        range(|s| s.held.descriptors)
    );
    assert_eq!(growth(&samples), None);
}

#[test]
fn growth_is_found_and_noise_is_not() {
    fn sample(resident: usize, bytes: usize, descriptors: usize) -> Sample {
        Sample { held: Held { bytes, blocks: 400, descriptors }, resident }
    }
    let samples = |of: fn(usize) -> Sample| (0..300).map(of).collect::<Vec<_>>();
    assert_eq!(growth(&samples(|i| sample(20_000 + i * 977 % 1500, 50_000 + i % 3 * 2304, 7))), None);
    // Caches fill in the first third.
    assert_eq!(growth(&samples(|i| sample(20_000 + 100 * i.min(90), 50_000 + 999 * i.min(90), 7))), None);
    let slow = growth(&samples(|i| sample(20_000 + 24 * i, 50_000, 7)));
    assert_eq!(slow.unwrap(), "KiB of resident memory grew from 23600 to 26000");
    let leak = growth(&samples(|i| sample(20_000, 50_000 + 200 * i, 7)));
    assert_eq!(leak.unwrap(), "allocated bytes grew from 80000 to 100000");
    let leak = growth(&samples(|i| sample(20_000, 50_000, 7 + i / 60)));
    assert_eq!(leak.unwrap(), "open file descriptors grew from 9 to 11");
}
