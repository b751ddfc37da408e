//! What a study's file may say.

use super::file::{GridTable, StudyFile};
use super::network::{NetworkTable, NormName};
use super::setting::OptimizerName;

/// The most seeds of a study: its runs are listed before the first.
const MOST_SEEDS: usize = 10_000;

/// An error unless the value is at least 1.
pub(super) fn at_least_one(what: &str, value: usize) -> Result<(), String> {
    if value == 0 { Err(format!("{what} is 0; it must be at least 1")) } else { Ok(()) }
}

/// An error unless the value is a positive number.
pub(super) fn positive(what: &str, value: f32) -> Result<(), String> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(format!("{what} is {value}; it must be a positive number"))
    }
}

/// An error unless the value is 0 or a positive number.
pub(super) fn not_negative(what: &str, value: f32) -> Result<(), String> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(format!("{what} is {value}; it must be 0 or positive"))
    }
}

/// An error unless the weight decay is one, and its optimiser has one.
pub(super) fn check_weight_decay(what: &str, grid: &GridTable) -> Result<(), String> {
    not_negative(&format!("{what}: weight_decay"), grid.weight_decay)?;
    if grid.weight_decay != 0.0 && grid.optimizer != OptimizerName::AdamW {
        return Err(format!("{what}: {} has no weight_decay; adamw has", grid.optimizer));
    }
    Ok(())
}

/// Checks what can be checked before networks are spelt out. Errors name the field, what was found and what is allowed.
pub(super) fn check(file: &StudyFile) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if file.name.is_empty() || !file.name.chars().all(plain) {
        return Err(format!("name is `{}`; it must be letters, digits, - and _", file.name));
    }
    at_least_one("training.steps", file.training.steps)?;
    at_least_one("training.batch", file.training.batch)?;
    at_least_one("training.seeds", file.training.seeds)?;
    if file.training.seeds > MOST_SEEDS {
        let seeds = file.training.seeds;
        return Err(format!("training.seeds is {seeds}; it must be 1 to {MOST_SEEDS}"));
    }
    at_least_one("training.record_every", file.training.record_every)?;
    at_least_one("training.checkpoints", file.training.checkpoints.unwrap_or(1))?;
    if file.grid.iter().all(|grid| grid.rates.is_empty()) {
        return Err("grid has no rates; at least one optimiser with one rate is needed".to_owned());
    }
    for grid in &file.grid {
        for rate in &grid.rates {
            positive(&format!("grid: the rate of {}", grid.optimizer), *rate)?;
        }
        check_weight_decay("grid", grid)?;
    }
    if file.groups.is_empty() {
        return Err("there is no [[group]]; at least one is needed".to_owned());
    }
    let mut names: Vec<&str> = file.groups.iter().map(|group| group.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("two groups are called `{}`; names must differ", twice[0]));
    }
    let with_batch_norm = |table: &NetworkTable| table.norm == Some(NormName::Batch);
    for group in &file.groups {
        let tables = || std::iter::once(&group.sick).chain(&group.remedies);
        if file.training.batch < 2
            && let Some(table) = tables().find(|table| with_batch_norm(table))
        {
            return Err(format!(
                "network `{}` of group `{}` has batch norm, which needs training.batch of at least 2, not {}",
                table.name, group.name, file.training.batch
            ));
        }
        let mut names: Vec<&str> = tables().map(|table| table.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("group `{}` has two networks called `{}`", group.name, twice[0]));
        }
    }
    Ok(())
}
