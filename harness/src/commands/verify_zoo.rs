//! `isobath verify --zoo`: hundreds of generated networks, what is true of them and what the diagnosis says.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::common::{Common, Failure, INPUT_OUTPUT, bar, print, print_json};
use super::verify::BROKEN;
use crate::probe::HEALTHY;
use crate::zoo::{Case, Class, Score, Target, population};

/// How large the zoo is.
#[derive(Debug, Args)]
pub(super) struct Size {
    /// Generated ensembles of networks
    #[arg(long, value_name = "N", default_value_t = 520, requires = "zoo",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    cases: u32,
    /// Networks of each that are simulated for the truth; with fewer than some 128, its own error makes stated intervals
    /// miss it more often
    #[arg(long, value_name = "N", default_value_t = 256, requires = "zoo",
        value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    simulations: u32,
}

#[derive(Serialize)]
struct Output {
    schema_version: u32,
    seed: u64,
    cases: usize,
    /// Rows of the confusion matrix: truth, verdict, cases.
    confusion: Vec<(String, String, usize)>,
    classes: Vec<ClassOutput>,
    undecided: f64,
    borderline: f64,
    faulty_layer_named: f64,
    none_named_in_sound: f64,
    interval_coverage: f64,
    interval_width: f64,
    fixes_that_heal: f64,
    missed: Vec<String>,
}

#[derive(Serialize)]
struct ClassOutput {
    class: String,
    cases: usize,
    recall: f64,
    precision: f64,
}

/// Diagnoses the zoo of a seed and prints the confusion matrix.
pub(super) fn run(size: &Size, common: &Common) -> Result<ExitCode, Failure> {
    let level = common.level()?;
    let animals = population(size.cases as usize, common.seed);
    let bar = bar(common.quiet, animals.len() as u64, "{bar:24} {pos}/{len} networks  {eta} left");
    let cases = common.pool()?.install(|| {
        let numbered = animals.into_par_iter().enumerate();
        numbered
            .map(|(i, ensemble)| {
                let seed = common.seed.wrapping_mul(1_000_003).wrapping_add(i as u64);
                let case = Case::new(ensemble, u64::from(size.simulations), seed, level);
                bar.inc(1);
                case
            })
            .collect::<Result<Vec<Case>, _>>()
    });
    bar.finish_and_clear();
    let cases = cases.map_err(|error| Failure { code: INPUT_OUTPUT, message: error.to_string() })?;
    let score = Score { cases };
    let missed = score.missed();
    if common.json {
        print_json(&output(common.seed, &score, &missed))?;
    } else {
        print(&text(&score, &missed))?;
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

fn output(seed: u64, score: &Score, missed: &[Target]) -> Output {
    let pairs = Class::ALL.iter().flat_map(|truth| Class::ALL.iter().map(move |verdict| (*truth, *verdict)));
    let (faulty_layer_named, none_named_in_sound) = score.places();
    Output {
        schema_version: 1,
        seed,
        cases: score.cases.len(),
        confusion: pairs
            .map(|(truth, verdict)| {
                let count = score.count(|case| case.truth == truth && case.verdict == verdict);
                (truth.to_string(), verdict.to_string(), count)
            })
            .filter(|(_, _, count)| *count > 0)
            .collect(),
        classes: Class::ALL
            .iter()
            .filter(|class| **class != Class::BORDERLINE)
            .map(|class| ClassOutput {
                class: class.to_string(),
                cases: score.of_class(*class),
                recall: score.recall(*class),
                precision: score.precision(*class),
            })
            .collect(),
        undecided: score.undecided(),
        borderline: score.borderline(),
        faulty_layer_named,
        none_named_in_sound,
        interval_coverage: score.coverage(),
        interval_width: score.width(),
        fixes_that_heal: score.fixes(),
        missed: missed.iter().map(ToString::to_string).collect(),
    }
}

/// The matrix, each case that was called wrongly, and what was missed.
fn text(score: &Score, missed: &[Target]) -> String {
    let mut text = score.to_string();
    // Writing to a string cannot fail.
    for (i, case) in score.cases.iter().enumerate().filter(|(_, case)| case.is_wrong()) {
        let decades =
            case.decades.map_or("no gradient".to_owned(), |decades| format!("{decades:+.2} decades"));
        let place = case.layer.map_or("no layer".to_owned(), |layer| format!("layer {layer}"));
        let _ = writeln!(
            text,
            "  {i}: {} ({decades}), called {}, {place}\n     {}",
            case.truth, case.verdict, case.ensemble
        );
    }
    for (i, case) in score.cases.iter().enumerate() {
        if let Some(decades) = case.after_fix.filter(|decades| decades.abs() > HEALTHY) {
            let _ = writeln!(
                text,
                "  {i}: {decades:+.2} decades after the fix of {}\n     {}",
                case.verdict, case.ensemble
            );
        }
    }
    for target in missed {
        let _ = writeln!(text, "MISSED: {target}");
    }
    if missed.is_empty() {
        text.push_str("all targets hold\n");
    }
    text
}
