//! No public kernel without a golden hash, a test that compares bits on every level, and a link that proves that it
//! cannot panic. The public functions are read from the source, so a new one fails here until it has all three.

use std::collections::BTreeSet;

use isobath_kernels::Level;
use isobath_tests::public_api::{NO_KERNELS, implemented, kernels, public_functions, root, sources};

/// The types that implement a trait of the kernels.
fn implementations(of: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, text) in sources(&root().join("kernels/src")) {
        for line in
            text.lines().filter(|line| line.starts_with("impl") && line.contains(&format!("{of} for ")))
        {
            found.insert(implemented(line).expect("an impl").to_owned());
        }
    }
    found
}

fn golden() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    isobath_golden::kernels(Level::SCALAR, &mut |line| {
        let name = if line.of.is_empty() { line.name.into() } else { format!("{}<{}>", line.name, line.of) };
        assert!(lines.insert(name.clone()), "two lines are called {name}");
    });
    lines
}

/// Whether a text has this word.
fn mentions(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(inside) && !text[at + word.len()..].starts_with(inside))
}

#[test]
fn the_source_is_read_as_it_is_meant() {
    let found = public_functions();
    for name in
        ["reduce::dot", "gemm::Gemm::run", "optimizer::AdamState::advance", "view::MatMut::split_rows"]
    {
        assert!(found.contains(name), "{name} is not among {found:?}");
    }
    assert_eq!(implementations("Activation").len(), 12);
    assert_eq!(implemented("impl<A: Activation> Epilogue for Activate<A> {"), Some("Activate"));
    for (name, _) in NO_KERNELS {
        let known = found.iter().any(|f| f == name || f.starts_with(&format!("{name}::")));
        // A trait's functions are not `pub`.
        assert!(known || name == "activation::Activation", "{name} is excused but does not exist");
    }
}

#[test]
fn every_kernel_has_a_golden_hash() {
    let golden = golden();
    let plain: BTreeSet<&str> = golden.iter().map(|name| name.split('<').next().unwrap_or(name)).collect();
    let missing: Vec<String> = kernels().into_iter().filter(|name| !plain.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "public functions without a line in the golden list: {missing:#?}");
}

#[test]
fn every_generic_kernel_has_a_hash_for_every_function() {
    let golden = golden();
    let generic: BTreeSet<&str> = golden
        .iter()
        .filter_map(|name| name.strip_suffix("<Tanh>"))
        .filter(|name| *name != "activation::derivative_from_output")
        .collect();
    assert_eq!(generic.len(), 8);
    let expect = |kernel: &str, of: &str| {
        assert!(golden.contains(&format!("{kernel}<{of}>")), "{kernel}<{of}> has no line in the golden list");
    };
    for function in implementations("Activation") {
        generic.iter().for_each(|kernel| expect(kernel, &function));
    }
    for function in implementations("FromOutput") {
        expect("activation::derivative_from_output", &function);
    }
    for epilogue in implementations("Epilogue") {
        expect("gemm::Gemm::run", &epilogue);
    }
}

#[test]
fn every_kernel_is_compared_on_every_level() {
    let tests: Vec<String> = sources(&root().join("tests/tests"))
        .into_iter()
        .chain(sources(&root().join("tests/src")))
        .filter(|(path, _)| !path.ends_with("public_api.rs"))
        .map(|(_, text)| text)
        .collect();
    let on_levels = |name: &String| {
        let (module, function) = (name.split("::").next().expect("a module"), name.rsplit("::").next());
        let function = function.expect("a function");
        tests.iter().any(|text| {
            let levels = text.contains("levels::all()") || text.contains("pub fn functions()");
            // Numbers outside the kernels' vectors, and the multiply-add itself, have no level.
            let alone = name.starts_with("reduce::Scaled") || name.starts_with("simd::fma");
            (levels || alone) && mentions(text, module) && mentions(text, function)
        })
    };
    let missing: Vec<String> = kernels().into_iter().filter(|name| !on_levels(name)).collect();
    assert!(missing.is_empty(), "kernels that no test compares on every level: {missing:#?}");
}

#[test]
fn every_public_function_is_linked_without_panics() {
    let links: String =
        sources(&root().join("tests/no-panic/src")).into_iter().map(|(_, text)| text).collect();
    let linked = |name: &String| {
        let parts: Vec<&str> = name.split("::").collect();
        match parts[..] {
            [module, of, function] => {
                // A method is called on a value, an associated function on its type, and the module is imported.
                mentions(&links, &format!("{of}::{function}"))
                    || links.contains(&format!(".{function}(")) && mentions(&links, of)
                    // Tokens are private to what Level::available lists.
                    || module == "simd" && of != "Level"
            }
            _ => mentions(&links, name),
        }
    };
    // A function over a token is linked as the kernel over slices that it is inlined into.
    let over_tokens = ["math::exp", "math::expm1", "math::ln", "math::log1p", "math::erf"];
    let missing: Vec<String> = public_functions()
        .into_iter()
        .filter(|name| !over_tokens.contains(&name.as_str()) && !linked(name))
        .collect();
    assert!(missing.is_empty(), "public functions that ci/no-panic does not link: {missing:#?}");
}
