//! A sweep: every group of a study once for each value of one field of its sick network.
//!
//! A remedy that sets the field itself keeps its own value, but for the depth: that counts dense layers, so that a residual
//! network of the same depth has depth / K blocks of K layers, rounded up.

use serde::{Deserialize, Serialize};

use super::check::positive;
use super::file::GroupTable;
use super::network::NetworkTable;

/// `[sweep]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SweepTable {
    /// Which field of the sick networks.
    pub(super) field: Field,
    /// Its values.
    pub(super) values: Vec<f64>,
}

/// The fields that can be swept.
///
/// ```
/// use isobath::study::sweep::Field;
///
/// assert_eq!(Field::WeightVariance.name(), "weight_variance");
/// assert_eq!(serde_json::from_str::<Field>(r#""depth""#)?, Field::Depth);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Hidden dense layers.
    Depth,
    /// Units per hidden layer.
    Width,
    /// s_w^2.
    WeightVariance,
    /// s_b^2.
    BiasVariance,
}

impl Field {
    /// Its name in a study's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Width => "width",
            Self::WeightVariance => "weight_variance",
            Self::BiasVariance => "bias_variance",
        }
    }
}

/// Where a group stands in its study's sweep.
///
/// ```
/// use isobath::study::plan::StudyPlan;
/// use isobath::study::sweep::Field;
///
/// let plan = StudyPlan::load("depth-sweep", None, false)?;
/// for group in &plan.groups {
///     let point = group.sweep.as_ref().expect("every group of a sweep is a point of it");
///     assert_eq!(point.field, Field::Depth);
///     assert_eq!(group.name, format!("{} depth {}", point.of, point.value));
///     assert_eq!(group.rows[0].architecture.depth as f64, point.value);
/// }
/// # Ok::<(), isobath::study::StudyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The group's name in the file, which all its points share.
    pub of: String,
    /// What is swept.
    pub field: Field,
    /// The value here.
    pub value: f64,
}

/// The groups that a sweep makes of one.
pub(super) fn expand(sweep: &SweepTable, group: &GroupTable) -> Result<Vec<(GroupTable, Point)>, String> {
    let name = sweep.field.name();
    if sweep.values.is_empty() {
        return Err("sweep.values is empty; at least one value is needed".to_owned());
    }
    if let Some(pair) = sweep.values.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("sweep.values holds {} before {}; values must increase", pair[0], pair[1]));
    }
    let at = |&value: &f64| {
        let mut swept = group.clone();
        let invalid = |error| format!("sweep.values: {error}");
        set(sweep.field, value, false, &mut swept.sick).map_err(invalid)?;
        for remedy in &mut swept.remedies {
            set(sweep.field, value, true, remedy).map_err(invalid)?;
        }
        swept.name = format!("{} {name} {value}", group.name);
        swept.title = format!("{}, {} {value}", group.title, name.replace('_', " "));
        Ok((swept, Point { of: group.name.clone(), field: sweep.field, value }))
    };
    sweep.values.iter().map(at).collect()
}

/// Sets the field of one network. `remedy`: the table says only what it changes.
fn set(field: Field, value: f64, remedy: bool, table: &mut NetworkTable) -> Result<(), String> {
    let name = field.name();
    let whole = || {
        if value >= 1.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX) {
            Ok(value as usize)
        } else {
            Err(format!("{name} {value} must be a whole number of at least 1"))
        }
    };
    match field {
        Field::Depth => {
            let layers = table.residual.map_or(1, |residual| residual.layers.max(1));
            if !remedy || table.depth.is_some() || layers > 1 {
                table.depth = Some(whole()?.div_ceil(layers));
            }
        }
        Field::Width => {
            let width = whole()?;
            table.width = if remedy { table.width } else { Some(width) };
        }
        Field::WeightVariance | Field::BiasVariance => {
            let value = value as f32;
            let slot = if field == Field::WeightVariance {
                positive(name, value)?;
                &mut table.weight_variance
            } else {
                if !(value >= 0.0 && value.is_finite()) {
                    return Err(format!("{name} {value} must be 0 or positive"));
                }
                &mut table.bias_variance
            };
            if !remedy {
                *slot = Some(value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::smallest::plan;

    const REST: &str = r#"
[[group.remedy]]
name = "res"
residual = { scale = 1.0, layers = 2, last = "linear" }
[[group.remedy]]
name = "wide"
width = 9
[sweep]
field = "depth"
values = [1, 5]
"#;

    #[test]
    fn every_group_is_run_at_every_value() {
        let groups = plan(REST, "sweep", "sweep").unwrap().groups;
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["g depth 1", "g depth 5"]);
        let depths = |g: usize| groups[g].rows.iter().map(|row| row.architecture.depth).collect::<Vec<_>>();
        assert_eq!((depths(0), depths(1)), (vec![1, 1, 1], vec![5, 3, 5]));
        let point = Point { of: "g".to_owned(), field: Field::Depth, value: 5.0 };
        assert_eq!(groups[1].sweep, Some(point));

        let widths = plan(REST, "field = \"depth\"", "field = \"width\"").unwrap().groups;
        let widths: Vec<usize> = widths[1].rows.iter().map(|row| row.architecture.width).collect();
        assert_eq!(widths, [5, 5, 9], "a remedy keeps a width of its own");
    }

    #[test]
    fn what_cannot_be_swept_is_refused() {
        for (from, to, word) in [
            ("values = [1, 5]", "values = []", "empty"),
            ("values = [1, 5]", "values = [1.5]", "whole number"),
            ("values = [1, 5]", "values = [5, 1]", "increase"),
            (
                "field = \"depth\"\nvalues = [1, 5]",
                "field = \"weight_variance\"\nvalues = [-1, 5]",
                "weight_variance",
            ),
            ("field = \"depth\"", "field = \"hue\"", "hue"),
        ] {
            let error = plan(REST, from, to).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
