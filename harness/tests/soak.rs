//! One process that runs studies for a long time keeps neither memory nor file descriptors: `ci/soak`.
//!
//! What was allocated must be exactly as much after every study (`leaks.rs` looks at that in seconds); resident memory also has in it
//! what the allocator keeps for itself and what is mapped past it, so it may differ, but not grow.
//!
//! `ISOBATH_SOAK_MINUTES` says how long, 30 minutes by default.
#![cfg(target_os = "linux")]

#[path = "common/held.rs"]
mod held;

use std::fs;
use std::time::{Duration, Instant};

use held::{Held, SMALL, WARM};
use tempfile::TempDir;

/// KiB of resident memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// KiB by which the allocator may hold more at one time than at another.
const SLACK: u64 = 1024;

/// From and to how many KiB resident memory grew from the second third of the time to the last one, by their medians, if it did. The
/// first third is for caches to fill. Of 30 minutes' studies a leak shows that is more than [`SLACK`] in ten.
fn growth(samples: &[u64]) -> Option<(u64, u64)> {
    let third = samples.len() / 3;
    let median = |samples: &[u64]| {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    };
    let (before, after) = (median(&samples[third..2 * third])?, median(&samples[2 * third..])?);
    (after > before + SLACK).then_some((before, after))
}

#[test]
#[ignore = "takes half an hour: ci/soak"]
fn studies_for_half_an_hour_leave_nothing_behind() {
    let minutes: f64 = std::env::var("ISOBATH_SOAK_MINUTES").map_or(30.0, |m| m.parse().expect("a number"));
    let folder = TempDir::new().unwrap();
    // As many as there can be, so that the list itself takes no memory later.
    let mut samples = Vec::with_capacity((minutes * 60.0 * 1000.0) as usize);
    let study = || held::study(SMALL, folder.path(), false).unwrap();
    let hash = study();
    for _ in 1..WARM {
        assert_eq!(study(), hash);
    }
    let begun = Instant::now();
    let mut said = begun;
    let first = Held::now();
    samples.push(resident());
    println!("after {WARM} studies: {first:?}, {} KiB resident", samples[0]);
    while begun.elapsed() < Duration::from_secs_f64(60.0 * minutes) {
        assert_eq!(study(), hash);
        assert_eq!(Held::now(), first, "after {} studies more", samples.len());
        samples.push(resident());
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            println!(
                "{:4.0} s, {} studies: {} KiB",
                begun.elapsed().as_secs_f64(),
                WARM + samples.len() - 1,
                resident()
            );
        }
    }
    let [least, most] = [samples.iter().min(), samples.iter().max()].map(|found| *found.unwrap());
    println!(
        "{} studies: resident {} KiB at first, {} at last, {least} to {most}; {:?}",
        WARM + samples.len() - 1,
        samples[0],
        samples[samples.len() - 1],
        Held::now()
    );
    assert_eq!(growth(&samples), None);
}

#[test]
fn growth_is_found_and_noise_is_not() {
    let samples = |of: fn(u64) -> u64| (0..300).map(of).collect::<Vec<_>>();
    assert_eq!(growth(&samples(|i| 20_000 + i * 977 % 1500)), None);
    // Caches fill in the first third.
    assert_eq!(growth(&samples(|i| 20_000 + 100 * i.min(90))), None);
    assert_eq!(growth(&samples(|i| 20_000 + 12 * i)), Some((21_800, 23_000)));
}
