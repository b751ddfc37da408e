//! A folder in which the commands of a page find the files that it speaks of.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use toml::{Table, Value};

use super::blocks::{Block, root};

/// Where built-in studies lie in their short form.
pub(crate) const SHORT: &str = "short";

/// A folder with the files of the repository that pages name, stand-ins for those that only a reader has, and those that the
/// page itself shows.
pub(crate) fn desk(blocks: &[Block]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["tests/golden/spirals.toml", "docs/guide/norms.csv"] {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::copy(root().join(name), at(name)).unwrap();
    }
    fs::create_dir(at(SHORT)).unwrap();
    for entry in fs::read_dir(root().join("harness/studies")).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{SHORT}/{}", entry.file_name().to_str().unwrap());
        fs::write(at(&name), short(&fs::read_to_string(entry.path()).unwrap())).unwrap();
    }
    fs::write(at("my.toml"), include_str!("../small.toml")).unwrap();
    for name in ["network.toml", "other.toml"] {
        fs::copy(at("tests/golden/spirals.toml"), at(name)).unwrap();
    }
    fs::copy(at("docs/guide/norms.csv"), at("norms.csv")).unwrap();
    write_mnist(&at("DIR"));
    let rows = (0..400).map(|i| format!("{},{},{}\n", i % 7, i % 11, ["a", "b", "c"][i % 3]));
    fs::write(at("FILE"), format!("x,y,LABEL\n{}", rows.collect::<String>())).unwrap();
    for block in blocks {
        if let Some(name) = block.file() {
            let text = block.lines.join("\n");
            fs::write(at(name), if text.contains("[[group]]") { short(&text) } else { text }).unwrap();
        }
    }
    folder
}

/// A study with the same networks, tuned over one rate of each optimiser, of which every run is two steps of one seed on few
/// samples.
fn short(study: &str) -> String {
    fn cut(table: &mut Table) {
        // They may name a rate that is no more.
        table.remove("settings");
        for (key, value) in table {
            match (key.as_str(), value) {
                ("steps" | "seeds" | "record_every" | "batch", value @ Value::Integer(_)) => {
                    *value = Value::Integer(if key == "steps" || key == "batch" { 2 } else { 1 });
                }
                ("train" | "validation" | "test", value @ Value::Integer(_)) => *value = Value::Integer(40),
                ("rates", Value::Array(rates)) => rates.truncate(1),
                (_, Value::Table(table)) => cut(table),
                (_, Value::Array(array)) => array.iter_mut().filter_map(Value::as_table_mut).for_each(cut),
                _ => {}
            }
        }
    }
    let mut table: Table = study.parse().unwrap();
    cut(&mut table);
    table.to_string()
}

/// Images and labels under the names that MNIST's files have: 8 x 8, ten classes.
fn write_mnist(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for (part, samples) in [("train", 200_u32), ("t10k", 60)] {
        let head = |magic: u32, sizes: &[u32]| {
            std::iter::once(&magic).chain(sizes).flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>()
        };
        let mut images = head(0x0803, &[samples, 8, 8]);
        images.extend((0..samples * 64).map(|i| (i * 37 % 251) as u8));
        let mut labels = head(0x0801, &[samples]);
        labels.extend((0..samples).map(|i| (i % 10) as u8));
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}
