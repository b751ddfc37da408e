//! What the readme and the guide say is so: every command in a block of a shell runs, what is shown below it is what it
//! prints, the Chinese pages have the same blocks, code in C compiles, and links lead to files. (Code in Rust is run by the
//! documentation tests of `isobath-tests`, code in Python by `ci/pytorch`.)
//!
//! Each page has a folder of its own, in which its commands run one after the other. A built-in study, and one that a page
//! shows, is run in a short form: the same networks, but two steps of one seed on 40 samples and one rate of each
//! optimiser; nothing of its tables is compared. [`INSTEAD`] and [`NOT_RUN`] are all other exceptions; a command that is in none of them and not `isobath`'s fails.

#[path = "documentation/blocks.rs"]
mod blocks;
#[path = "documentation/desk.rs"]
mod desk;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blocks::{Line, blocks as blocks_of, in_chinese, pages, read, root, words};
use isobath::study::plan::BUILT_IN;

/// What is run in the place of a command, and why.
const INSTEAD: [(&str, &str, &str); 7] = [
    (
        "isobath verify --zoo --seed 7",
        "isobath verify --zoo --seed 7 --cases 6 --simulations 8",
        "takes minutes",
    ),
    (
        "isobath verify --exhaustive --functions exp tanh",
        "isobath verify --exhaustive --functions exp tanh --sample 65537",
        "takes minutes",
    ),
    ("isobath bench train", "isobath bench train --depth 2 --width 8 --seconds 0.02", "takes half a minute"),
    ("isobath bench gemm", "isobath bench gemm --shapes 8,8,8 --seconds 0.02", "takes ten seconds"),
    (
        "isobath bench elementwise",
        "isobath bench elementwise --kernels sgd --seconds 0.001",
        "takes half a minute",
    ),
    (
        "isobath completions bash > ~/.local/share/bash-completion/completions/isobath",
        "isobath completions bash",
        "writes to the home folder",
    ),
    ("isobath man ~/.local/share/man/man1", "isobath man man1", "writes to the home folder"),
];

/// Beginnings of commands that are not run, and why.
const NOT_RUN: [(&str, &str); 8] = [
    ("cargo test", "it would run this test"),
    ("cargo install", "it would install the program"),
    ("cargo build -p isobath-kernels --example on_device", "needs another target; ci/cross builds it"),
    ("cargo rustc -p isobath-capi", "needs another target; ci/capi runs it"),
    ("arm-none-eabi-gcc", "needs a cross compiler; ci/capi runs it"),
    ("tensorboard", "another program; ci/interop reads the same logs with it"),
    ("isobath study --full", "twelve studies; harness/tests/study.rs runs --full on one"),
    ("isobath verify --theory", "takes half a minute; harness/tests/verify_cli.rs runs it"),
];

/// The command of a line without the program, or none if it is not this program's.
fn arguments(command: &str) -> Option<Vec<String>> {
    let rest = command.strip_prefix("isobath ").or_else(|| match command {
        "isobath" => Some(""),
        _ => command.strip_prefix("cargo run --release -- "),
    })?;
    Some(words(rest))
}

/// The short form of a study that is built in.
fn short(mut words: Vec<String>) -> (Vec<String>, bool) {
    if words[0] != "study" {
        return (words, false);
    }
    let has_file = words.iter().any(|word| word.ends_with(".toml"));
    let named = words.iter().position(|word| BUILT_IN.iter().any(|(name, _)| name == word));
    let file = |name: &str| format!("{}/{name}.toml", desk::SHORT);
    match named {
        _ if has_file => {}
        Some(at) => words[at] = file(&words[at]),
        None => words.insert(1, file("remedies")),
    }
    (words, true)
}

/// Runs a command as it stands, or what stands for it. What it printed, if that is what a reader sees, or what is wrong.
fn run(folder: &Path, line: &Line) -> Result<Option<String>, String> {
    if NOT_RUN.iter().any(|(start, _)| line.text.starts_with(start)) {
        return Ok(None);
    }
    let instead = INSTEAD.iter().find(|(command, _, _)| *command == line.text);
    let text = instead.map_or(line.text.as_str(), |(_, instead, _)| instead);
    let words = arguments(text).ok_or_else(|| format!("`{text}` is no command that this test knows"))?;
    let (words, is_study) = short(words);
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.args(&words).current_dir(folder).stdin(Stdio::null());
    if words[0] == "serve" {
        return serve(command).map(|()| None);
    }
    let output = command.output().unwrap();
    if output.status.code() != Some(line.code) {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{text}`, run as {words:?}, ended with {}: {errors}", output.status));
    }
    let shown = if line.code == 2 { output.stderr } else { output.stdout };
    Ok((instead.is_none() && !is_study).then(|| String::from_utf8(shown).unwrap()))
}

/// Starts a server on a free port, and ends it when it has said where it serves.
fn serve(mut command: Command) -> Result<(), String> {
    let mut server = command.args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    if said.contains("is served at http://127.0.0.1:") { Ok(()) } else { Err(format!("serve says {said}")) }
}

/// Whether lines are those that a page shows, where `...` stands for any number of lines.
fn shows(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        ["...", rest @ ..] => (0..=printed.len()).any(|skipped| shows(rest, &printed[skipped..])),
        [line, rest @ ..] => printed.first() == Some(line) && shows(rest, &printed[1..]),
    }
}

/// Runs the commands of a page, and returns what is wrong with it.
fn check(page: &Path) -> Vec<String> {
    let blocks = blocks_of(&read(page));
    let folder = desk::desk(&blocks);
    let (mut faults, mut printed) = (Vec::new(), None::<String>);
    for block in &blocks {
        let mut fault = |text: String| faults.push(format!("{}:{}: {text}", page.display(), block.line));
        if block.language == "sh" {
            let results: Vec<_> = block.commands().iter().map(|line| run(folder.path(), line)).collect();
            printed = match results.as_slice() {
                [Ok(printed)] => printed.clone(),
                _ => None,
            };
            results.into_iter().filter_map(Result::err).for_each(fault);
        } else if let ("text", true, Some(printed)) = (block.language.as_str(), block.follows, printed.take())
        {
            let lines: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
            let shown: Vec<&str> = block.lines.iter().map(String::as_str).collect();
            if !shows(&shown, &lines) {
                fault(format!("it shows\n{}\nand printed is\n{printed}", block.lines.join("\n")));
            }
        }
    }
    faults
}

#[test]
fn commands_run_and_print_what_is_shown() {
    let faults: Vec<String> = pages().iter().flat_map(|page| check(page)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn both_languages_have_the_same_blocks() {
    for page in pages() {
        let Some(chinese) = in_chinese(&page) else { continue };
        let content = |page: &Path| -> Vec<(String, String, usize)> {
            let content = |block: blocks::Block| match block.language.as_str() {
                "sh" => (block.language.clone(), format!("{:?}", block.commands()), block.line),
                _ => (block.language.clone(), block.lines.join("\n"), block.line),
            };
            blocks_of(&read(page)).into_iter().map(content).collect()
        };
        let (english, other) = (content(&page), content(&chinese));
        for (a, b) in english.iter().zip(&other) {
            assert_eq!(
                (&a.0, &a.1),
                (&b.0, &b.1),
                "{}:{} and {}:{}",
                page.display(),
                a.2,
                chinese.display(),
                b.2
            );
        }
        assert_eq!(english.len(), other.len(), "{}", chinese.display());
    }
}

#[test]
fn links_lead_to_files_and_each_chapter_is_in_its_summary() {
    let pages = pages();
    let all = pages.iter().cloned().chain(pages.iter().filter_map(|page| in_chinese(page)));
    for page in all {
        let folder = page.parent().unwrap().to_owned();
        let text = read(&page);
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap().split('#').next().unwrap();
            let is_outside = link.starts_with("https://") || link.is_empty();
            assert!(is_outside || root().join(&folder).join(link).exists(), "{}: {link}", page.display());
            // A built book has its own pages and figures, and nothing of the repository around it.
            let leaves_book = folder.ends_with("src") && link.starts_with("../");
            assert!(!leaves_book, "{} leads out of the book: {link}", page.display());
        }
        let name = page.file_name().unwrap().to_str().unwrap();
        if folder.ends_with("src") {
            let summary = read(&folder.join("SUMMARY.md"));
            assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{}", page.display());
        }
    }
}

/// Whoever links Rust programs here has a compiler for C.
#[cfg(unix)]
#[test]
fn code_in_c_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let mut programs = 0;
    for block in pages().iter().flat_map(|page| blocks_of(&read(page))).filter(|block| block.language == "c")
    {
        let file = folder.path().join("main.c");
        std::fs::write(&file, block.lines.join("\n") + "\n").unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]);
        let output = compiler.arg("-I").arg(root().join("capi")).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        programs += 1;
    }
    assert!(programs > 0);
}

#[test]
fn exceptions_are_needed() {
    let text: Vec<String> = pages().iter().map(PathBuf::as_path).map(read).collect();
    let blocks = text.iter().flat_map(|page| blocks_of(page));
    let commands: Vec<Line> =
        blocks.filter(|block| block.language == "sh").flat_map(|block| block.commands()).collect();
    for (command, _, _) in INSTEAD {
        assert!(commands.iter().any(|line| line.text == command), "`{command}` is on no page");
    }
    for (start, _) in NOT_RUN {
        assert!(commands.iter().any(|line| line.text.starts_with(start)), "`{start}` is on no page");
    }
    let sample =
        "a\n\n```sh\nisobath x --y \\\n  z   # exit code 2\n```\n\n```text\nb\n```\nc\n```text\n```\n";
    let [command, shown, apart] = blocks_of(sample).try_into().unwrap();
    assert_eq!(command.commands(), [Line { text: "isobath x --y z".into(), code: 2 }]);
    assert_eq!((shown.follows, apart.follows, shown.line), (true, false, 8));
    assert!(shows(&["a", "...", "d"], &["a", "b", "c", "d"]) && !shows(&["a", "...", "d"], &["a", "b"]));
}
