//! No public item of the library without an example: a free function, a struct, an enum and a trait has one in its documentation,
//! and a method has one of its own or its type has. Examples are code that the documentation tests run, in plain blocks; the few that
//! take too long, and are only compiled, are listed here.
//!
//! The source is read as text. Whatever is `pub` in it can be reached from outside the crate, else the lint `unreachable_pub`
//! would have it `pub(crate)`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that this is asked of.
const MODULES: &[&str] = &[
    "accuracy",
    "activation",
    "architecture",
    "data",
    "descent",
    "diagnose",
    "export",
    "hash",
    "init",
    "machine",
    "memory",
    "net",
    "pretrain",
    "probe",
    "random",
    "report",
    "serve",
    "study",
    "theory",
    "threads",
    "train",
    "verify",
    "weights",
    "zoo",
];

/// Items whose example may be compiled only, `no_run`: the file and the item's path.
const TOO_LONG: &[(&str, &str)] = &[
    // Trains and probes networks for some ten seconds.
    ("src/verify.rs", "theory"),
];

/// The best that is done with the code blocks in an item's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Example {
    None,
    Compiled,
    Run,
}

/// A public item.
#[derive(Debug, PartialEq)]
struct Item {
    /// Of a method, the type that it belongs to.
    of: Option<String>,
    name: String,
    is_type: bool,
    example: Example,
}

impl Item {
    fn path(&self) -> String {
        self.of.iter().map(|of| format!("{of}::")).collect::<String>() + &self.name
    }
}

/// The identifier that a text begins with.
fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The type of an `impl` block that implements no trait, and whose generics have no generics.
fn implemented(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { rest.split_once('>')?.1 } else { rest };
    (!rest.contains(" for ")).then(|| identifier(rest.trim_start()))
}

/// What is done with the code blocks in the documentation above an item, given from below.
fn example<'a>(above: impl Iterator<Item = &'a str>) -> Example {
    let is_between_items = |line: &str| line.is_empty() || line.ends_with(['{', '}', ';']);
    let lines = above.map(str::trim).take_while(|line| line.starts_with("///") || !is_between_items(line));
    let mut fences: Vec<&str> =
        lines.filter_map(|line| line.strip_prefix("///")?.trim().strip_prefix("```")).collect();
    fences.reverse();
    // Every other fence closes a block.
    let blocks = fences.iter().step_by(2).map(|language| match *language {
        "" => Example::Run,
        "no_run" => Example::Compiled,
        _ => Example::None,
    });
    blocks.max().unwrap_or(Example::None)
}

/// The public items of a file, but for its tests.
fn items(text: &str) -> Vec<Item> {
    let lines: Vec<&str> = text.lines().take_while(|line| !line.ends_with("mod tests {")).collect();
    let mut of = None;
    let mut items = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            of = implemented(line);
        } else if *line == "}" {
            of = None;
        }
        let is_method = of.is_some() && line.starts_with("    pub ");
        if !is_method && !line.starts_with("pub ") {
            continue;
        }
        let declared = ["pub ", "const ", "unsafe ", "async "]
            .iter()
            .fold(line.trim_start(), |rest, word| rest.strip_prefix(word).unwrap_or(rest));
        let kind = ["fn ", "struct ", "enum ", "trait "].into_iter().find(|kind| declared.starts_with(kind));
        let Some(kind) = kind else { continue };
        items.push(Item {
            of: of.clone().filter(|_| is_method),
            name: identifier(&declared[kind.len()..]),
            is_type: kind != "fn ",
            example: example(lines[..at].iter().rev().copied()),
        });
    }
    items
}

/// Items that need an example and have none. Methods may be in other files than their types.
fn without_example(files: &[(PathBuf, String)]) -> Vec<String> {
    let all: Vec<(&Path, Item)> = files
        .iter()
        .flat_map(|(path, text)| items(text).into_iter().map(|item| (path.as_path(), item)))
        .collect();
    let shown: BTreeSet<&str> = all
        .iter()
        .filter(|(_, item)| item.is_type && item.example == Example::Run)
        .map(|(_, item)| item.name.as_str())
        .collect();
    let takes_too_long = |path: &Path, item: &Item| {
        TOO_LONG.iter().any(|(file, of)| path.ends_with(file) && item.path() == *of)
    };
    let is_shown = |path: &Path, item: &Item| match item.example {
        Example::Run => true,
        Example::Compiled if takes_too_long(path, item) => true,
        _ => item.of.as_ref().is_some_and(|of| shown.contains(of.as_str())),
    };
    all.iter()
        .filter(|(path, item)| !is_shown(path, item))
        .map(|(path, item)| format!("{}: {}", path.display(), item.path()))
        .collect()
}

/// The file of a module and those in its folder.
fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = vec![root.join(format!("{module}.rs"))];
    let mut folders = vec![root.join(module)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.expect("a readable folder").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                paths.push(path);
            }
        }
    }
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a source"))).collect()
}

#[test]
fn every_public_item_has_an_example() {
    let files: Vec<_> = MODULES.iter().flat_map(|module| sources(module)).collect();
    for known in ["Pass::forward", "StudyError", "StudyPlan::load", "forgetting", "Keeper"] {
        let found = files.iter().any(|(_, text)| items(text).iter().any(|item| item.path() == known));
        assert!(found, "{known} is not found: the source is not read as it is meant");
    }
    let missing = without_example(&files);
    assert!(missing.is_empty(), "public items without an example: {missing:#?}");
}

const SOURCE: &str = r#"
/// Shown.
///
/// ```
/// assert!(is_shown(Kind { of: 1 }) || true);
/// ```
#[derive(Debug)]
pub struct Shown<T> {
    /// A field.
    pub field: T,
}

impl<T: Copy> Shown<T> {
    /// Used above.
    pub const fn new() -> Self {
    }

    /// ```
    /// let own = {
    /// };
    /// ```
    #[must_use]
    pub fn own(&self) {}
}

/// Not code.
///
/// ```text
/// 1
/// ```
pub enum Told {}
impl Told {
    /// Not either.
    pub fn at_all(&self) {}

    /// ```
    /// ```
    pub fn alone(&self) {}
}

/// Not seen from outside.
pub(crate) fn hidden() {}

/// None.
pub fn none() {}

impl std::fmt::Debug for Told {
}

/// Not run.
///
/// ```ignore
/// x
/// ```
pub trait Ignored {}

/// Compiled only.
///
/// ```no_run
/// theory();
/// ```
pub fn theory() {}

#[cfg(test)]
mod tests {
    pub fn of_tests() {}
}
"#;

#[test]
fn what_has_none_is_named() {
    let missing = without_example(&[(PathBuf::from("a.rs"), SOURCE.to_owned())]);
    assert_eq!(missing, ["a.rs: Told", "a.rs: Told::at_all", "a.rs: none", "a.rs: Ignored", "a.rs: theory"]);
}

#[test]
fn what_takes_too_long_is_listed_and_has_one() {
    let missing = |item: &str| without_example(&[(PathBuf::from("harness/src/verify.rs"), item.to_owned())]);
    let compiled = "/// ```no_run\n/// theory();\n/// ```\npub fn theory() {}\n";
    assert!(missing(compiled).is_empty());
    assert_eq!(missing(&compiled.replace("no_run", "ignore")), ["harness/src/verify.rs: theory"]);
    assert_eq!(missing(&compiled.replace("theory", "exhaustive")), ["harness/src/verify.rs: exhaustive"]);
}

#[test]
fn a_method_may_be_far_from_its_type() {
    let method =
        "impl<T: Threads> Shown<'_, T> {\n    /// No code.\n    pub fn far(&self) {}\n}\n".to_owned();
    let [here, there] = [("a.rs", SOURCE.to_owned()), ("b.rs", method)].map(|(p, t)| (PathBuf::from(p), t));
    assert!(!without_example(&[here, there.clone()]).iter().any(|item| item.starts_with("b.rs")));
    assert_eq!(without_example(&[there]), ["b.rs: Shown::far"]);
}
