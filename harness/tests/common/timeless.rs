//! What a study found, whenever and wherever it ran.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The summary without what differs between machines and moments.
pub(crate) fn timeless_summary(out: &Path) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for name in ["seconds", "seconds_in_all", "step_seconds", "machine"] {
                    fields.remove(name);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut summary = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    strip(&mut summary);
    summary
}
