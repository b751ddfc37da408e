//! The public functions of the kernels, read from their source: what every list of kernels is compared with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Public functions that compute no number a caller keeps, and why. The rest are kernels.
pub const NO_KERNELS: [(&str, &str); 31] = [
    ("activation::Activation", "a trait; its functions are kernels' parameters"),
    ("gemm::Gemm::new", "a plan"),
    ("gemm::Gemm::workspace_len", "a length"),
    ("gemm::Gemm::workspace_len_for", "a length"),
    ("gemm::PackedB::len_for", "a length"),
    ("gemm::PackedB::matrix", "a view of what PackedB::new wrote"),
    ("math::exp", "exp_slice is this over slices"),
    ("math::expm1", "expm1_slice is this over slices"),
    ("math::ln", "ln_slice is this over slices"),
    ("math::log1p", "log1p_slice is this over slices"),
    ("math::erf", "erf_slice is this over slices"),
    ("optimizer::AdamState::new", "a start"),
    ("optimizer::AdamState::powers", "what it holds"),
    ("optimizer::AdamState::resume", "a start"),
    ("optimizer::AdamState::step", "a counter"),
    ("peak::chained_multiply_adds", "as many sums as the level has lanes"),
    ("peak::flops_per_step", "depends on the level"),
    ("peak::lanes", "depends on the level"),
    ("peak::multiply_adds", "as many sums as the level has lanes"),
    ("peak::read", "as many sums as the level has lanes"),
    ("reduce::Scaled::is_finite", "a comparison"),
    ("reduce::Scaled::is_zero", "a comparison"),
    ("simd::Avx2::detect", "a token"),
    ("simd::Avx512::detect", "a token"),
    ("simd::Neon::new", "a token"),
    ("simd::Level::available", "levels"),
    ("simd::Level::detect", "levels"),
    ("simd::Level::from_name", "levels"),
    ("simd::Level::lanes", "levels"),
    ("simd::Level::name", "levels"),
    ("view", "views of memory; tests of unsafe code are their own"),
];

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of every Rust file under a folder, with its path.
pub fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            found.push((path, text));
        }
    }
    found
}

/// The first word after a prefix.
fn word_after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(prefix)?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The type that an `impl` line is about: the last one before its generics.
pub fn implemented(line: &str) -> Option<&str> {
    let head = line.strip_prefix("impl")?.strip_suffix(" {")?;
    // Without the generics that follow `impl`.
    let head = if head.starts_with('<') { head.split_once("> ")?.1 } else { head.trim_start() };
    let of = head.rsplit(" for ").next()?;
    Some(word_after(of, "").unwrap_or(of))
}

/// Public functions as `module::function` or `module::Type::function`. Lints deny `pub` on what is not reachable.
pub fn public_functions() -> BTreeSet<String> {
    let folder = root().join("kernels/src");
    let mut found = BTreeSet::new();
    for (path, text) in sources(&folder) {
        let module = path.strip_prefix(&folder).expect("below it").with_extension("");
        let module = module.iter().next().expect("a name").to_str().expect("UTF-8");
        let mut of = None;
        for line in text.lines() {
            if line.starts_with("impl") {
                of = implemented(line);
            }
            for prefix in ["pub fn ", "pub const fn ", "pub unsafe fn "] {
                if let Some(name) = word_after(line, prefix) {
                    found.insert(format!("{module}::{name}"));
                }
                if let Some(name) = word_after(line.trim_start(), prefix)
                    && line.starts_with("    pub")
                {
                    found.insert(format!("{module}::{}::{name}", of.expect("a method has a type")));
                }
            }
        }
    }
    found
}

/// Those of them that are kernels.
pub fn kernels() -> BTreeSet<String> {
    let excused = |name: &String| {
        NO_KERNELS.iter().any(|(other, _)| name == other || name.starts_with(&format!("{other}::")))
    };
    public_functions().into_iter().filter(|name| !excused(name)).collect()
}
