//! Every public function, type and trait of the kernels has an example in its documentation that runs as a test and
//! asserts something. A method may instead be called, or implemented, in the example of its type.

use std::collections::{BTreeMap, BTreeSet};

use isobath_tests::public_api::{implemented, public_functions, root, sources};

/// What a public item is, and the code of the examples in its documentation.
#[derive(Debug)]
struct Item {
    name: String,
    /// The type or trait of a method.
    of: Option<String>,
    examples: String,
}

impl Item {
    /// The name, after that of the type.
    fn path(&self) -> String {
        self.of.iter().chain([&self.name]).map(String::as_str).collect::<Vec<_>>().join("::")
    }
}

/// The name that follows one of these keywords.
fn name_after<'a>(line: &'a str, keywords: &[&str]) -> Option<&'a str> {
    let rest = keywords.iter().find_map(|keyword| line.strip_prefix(keyword))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The code of a documentation's examples that assert something; what is not run as a test is left out.
fn examples(docs: &[&str]) -> String {
    let mut found = String::new();
    let mut block: Option<(bool, String)> = None;
    for line in docs {
        match (line.trim().strip_prefix("```"), &mut block) {
            (Some(language), None) => {
                block = Some((language.is_empty() || language == "rust", String::new()));
            }
            (Some(_), Some((runs, code))) => {
                if *runs && code.contains("assert") {
                    found += code;
                }
                block = None;
            }
            (None, Some((_, code))) => *code += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

/// The public items of a file; lints deny `pub` on what is not reachable.
fn items(text: &str) -> Vec<Item> {
    const FUNCTIONS: [&str; 3] = ["pub fn ", "pub const fn ", "pub unsafe fn "];
    const TYPES: [&str; 3] = ["pub struct ", "pub enum ", "pub trait "];
    let (mut found, mut docs, mut of, mut in_trait) = (Vec::new(), Vec::new(), None, false);
    for line in text.lines() {
        if let Some(doc) = line.trim_start().strip_prefix("///") {
            docs.push(doc);
            continue;
        }
        if line.trim_start().starts_with("#[") || line.trim_start().starts_with("//") {
            continue;
        }
        if line.starts_with("impl") {
            of = implemented(line).map(str::to_owned);
        }
        // A trait's methods are as public as the trait.
        if let Some(name) = name_after(line, &["pub trait "]) {
            (of, in_trait) = (Some(name.to_owned()), true);
        }
        in_trait &= line != "}";
        let methods: &[&str] = if in_trait { &["fn "] } else { &FUNCTIONS };
        let method = line.strip_prefix("    ").and_then(|line| name_after(line, methods));
        let alone = name_after(line, &FUNCTIONS).or_else(|| name_after(line, &TYPES));
        if let Some(name) = method.or(alone) {
            let of = method.map(|_| of.clone().expect("a method has a type"));
            found.push(Item { name: name.to_owned(), of, examples: examples(&docs) });
        }
        docs.clear();
    }
    found
}

/// The items of a file without an example, by their names.
fn without_example(text: &str) -> Vec<String> {
    let items = items(text);
    let types: BTreeMap<&str, &str> =
        items.iter().filter(|item| item.of.is_none()).map(|item| (&*item.name, &*item.examples)).collect();
    let mut missing = Vec::new();
    for item in &items {
        let name = &item.name;
        let on_type = item.of.as_ref().is_some_and(|of| {
            let example = types.get(of.as_str()).copied().unwrap_or_default();
            let uses =
                [format!(".{name}("), format!("{of}::{name}("), format!("fn {name}("), format!("fn {name}<")];
            uses.iter().any(|code| example.contains(code))
        });
        if item.examples.is_empty() && !on_type {
            missing.push(item.path());
        }
    }
    missing
}

#[test]
fn every_public_item_has_an_example() {
    let folder = root().join("kernels/src");
    let (mut missing, mut seen) = (Vec::new(), BTreeSet::new());
    for (path, text) in sources(&folder) {
        let file = path.strip_prefix(&folder).expect("below it");
        missing.extend(without_example(&text).iter().map(|name| format!("{}: {name}", file.display())));
        let module = file.with_extension("");
        let module = module.iter().next().expect("a name").display();
        seen.extend(items(&text).iter().map(|item| format!("{module}::{}", item.path())));
    }
    assert!(missing.is_empty(), "public items without an example that runs and asserts: {missing:#?}");
    let types = ["simd::Simd", "gemm::Init", "view::MatMut"].map(str::to_owned);
    let unseen: Vec<String> =
        public_functions().into_iter().chain(types).filter(|name| !seen.contains(name)).collect();
    assert!(unseen.is_empty(), "public items that were not looked at: {unseen:#?}");
}

#[test]
fn an_item_without_an_example_is_named() {
    let missing = |docs: &str| {
        without_example(&format!("{docs}\n#[inline]\npub const fn half(x: f32) -> f32 {{\n}}\n"))
    };
    assert_eq!(missing("/// Half."), ["half"]);
    assert_eq!(missing("/// Half.\n/// ```\n/// assert_eq!(half(2.0), 1.0);\n/// ```"), [""; 0]);
    assert_eq!(missing("/// Half.\n/// ```rust\n/// assert_eq!(half(2.0), 1.0);\n/// ```"), [""; 0]);
    // Neither code that is not run nor code that cannot fail is an example; nor is that of the item before.
    assert_eq!(missing("/// ```text\n/// assert_eq!(half(2.0), 1.0);\n/// ```"), ["half"]);
    assert_eq!(missing("/// ```no_run\n/// assert_eq!(half(2.0), 1.0);\n/// ```"), ["half"]);
    assert_eq!(missing("/// ```\n/// half(2.0);\n/// ```"), ["half"]);
    assert_eq!(missing("/// ```\n/// assert!(true);\n/// ```\nconst ONE: f32 = 1.0;"), ["half"]);
}

#[test]
fn a_method_has_its_own_example_or_is_called_in_that_of_its_type() {
    let missing = |on_type: &str, on_method: &str| {
        without_example(&format!(
            "/// A pair.\n/// ```\n/// {on_type}\n/// ```\npub struct Pair;\n\nimpl<T: Copy> Pair<T> {{\n    \
             /// The sum.\n    /// ```\n    /// {on_method}\n    /// ```\n    pub fn sum(self) {{}}\n}}\n"
        ))
    };
    assert_eq!(missing("assert_eq!(Pair::sum(pair), 3);", ""), [""; 0]);
    assert_eq!(missing("assert_eq!(pair.sum(), 3);", ""), [""; 0]);
    assert_eq!(missing("assert_eq!(pair.sum_of_squares(), 3);", ""), ["Pair::sum"]);
    assert_eq!(missing("", "assert_eq!(pair.sum(), 3);"), ["Pair"]);
}

#[test]
fn types_and_the_methods_of_traits_need_examples() {
    assert_eq!(without_example("/// One.\npub enum One {\n}\n"), ["One"]);
    let text = "/// One.\n/// ```\n/// assert!(one.is_one());\n/// ```\npub trait One {\n    fn is_one();\n    fn two();\n}\n\n\
                impl One for Unit {\n    fn is_one() {}\n}\n";
    assert_eq!(without_example(text), ["One::two"]);
}
