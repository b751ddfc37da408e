//! One process that runs studies for a long time keeps neither memory nor file descriptors: `ci/soak`.
//!
//! `ISOBATH_SOAK_MINUTES` says how long, 30 minutes by default.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use isobath::study::plan::StudyPlan;
use isobath::study::trial::{Options, Progress, run};
use isobath_kernels::Level;
use tempfile::TempDir;

/// What the process held after one study.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    /// KiB of resident memory.
    resident: u64,
    /// Open file descriptors.
    descriptors: usize,
}

impl Sample {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        // The folder that is read is itself open.
        let descriptors = fs::read_dir("/proc/self/fd").unwrap().count() - 1;
        Self { resident, descriptors }
    }
}

/// KiB by which the allocator may hold more at one time than at another.
const SLACK: u64 = 1024;

/// What grew, if anything, from the second third of the time to the last one, by their medians. The first third is for caches
/// to fill. Of 30 minutes' studies a leak shows that is more than [`SLACK`] in ten.
fn growth(samples: &[Sample]) -> Option<String> {
    let third = samples.len() / 3;
    let median = |samples: &[Sample], of: fn(&Sample) -> u64| {
        let mut sorted: Vec<u64> = samples.iter().map(of).collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    };
    let grown = |of: fn(&Sample) -> u64, slack: u64, what: &str| {
        let before = median(&samples[third..2 * third], of)?;
        let after = median(&samples[2 * third..], of)?;
        (after > before + slack).then(|| format!("{what} grew from {before} to {after}"))
    };
    grown(|sample| sample.resident, SLACK, "KiB of resident memory")
        .or_else(|| grown(|sample| sample.descriptors as u64, 0, "open file descriptors"))
}

struct Silent;

impl Progress for Silent {
    fn advance(&self, _: u64, _: u64, _: &str) {}
}

/// Runs the small study once in `folder` and returns its hash.
fn study(folder: &Path) -> String {
    let plan = StudyPlan::parse("small.toml", include_str!("small.toml"), None, false).unwrap();
    let options =
        Options { folder: folder.to_owned(), seed: 1, level: Level::detect(), threads: 2, force: true };
    run(&plan, &options, &AtomicBool::new(false), &Silent).unwrap().summary.hash
}

#[test]
#[ignore = "takes half an hour: ci/soak"]
fn studies_for_half_an_hour_leave_nothing_behind() {
    let minutes: f64 = std::env::var("ISOBATH_SOAK_MINUTES").map_or(30.0, |m| m.parse().expect("a number"));
    let folder = TempDir::new().unwrap();
    let begun = Instant::now();
    let mut said = begun;
    let hash = study(folder.path());
    let mut samples = vec![Sample::now()];
    while begun.elapsed() < Duration::from_secs_f64(60.0 * minutes) {
        assert_eq!(study(folder.path()), hash);
        samples.push(Sample::now());
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            println!(
                "{:4.0} s, {} studies: {:?}",
                begun.elapsed().as_secs_f64(),
                samples.len(),
                Sample::now()
            );
        }
    }
    println!("{} studies: first {:?}, last {:?}", samples.len(), samples[0], samples[samples.len() - 1]);
    let most = |of: fn(&Sample) -> u64| samples.iter().map(of).max().unwrap();
    println!("most: {} KiB, {} descriptors", most(|s| s.resident), most(|s| s.descriptors as u64));
    assert_eq!(growth(&samples), None);
}

#[test]
fn growth_is_found_and_noise_is_not() {
    fn sample(resident: u64, descriptors: usize) -> Sample {
        Sample { resident, descriptors }
    }
    let samples = |of: fn(u64) -> Sample| (0..300).map(of).collect::<Vec<_>>();
    assert_eq!(growth(&samples(|i| sample(20_000 + i * 977 % 1500, 7))), None);
    // Caches fill in the first third.
    assert_eq!(growth(&samples(|i| sample(20_000 + 100 * i.min(90), 7))), None);
    let slow = growth(&samples(|i| sample(20_000 + 12 * i, 7)));
    assert_eq!(slow.unwrap(), "KiB of resident memory grew from 21800 to 23000");
    let leak = growth(&samples(|i| sample(20_000, 7 + i as usize / 60)));
    assert_eq!(leak.unwrap(), "open file descriptors grew from 9 to 11");
}
