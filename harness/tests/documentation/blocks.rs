//! The fenced blocks of a Markdown page, and the commands in those of a shell.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// What stands behind the opening fence: `sh`, `text`, `toml`, ...
    pub(crate) language: String,
    pub(crate) lines: Vec<String>,
    /// Line of the opening fence, from 1.
    pub(crate) line: usize,
    /// Whether nothing but blank lines separates it from the block before.
    pub(crate) follows: bool,
}

/// A command as the page has it, and the exit code that its comment promises.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) code: i32,
}

/// The blocks of a page. Fences have three backticks and no indentation.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut open, mut follows) = (Vec::new(), None::<Block>, false);
    for (index, line) in page.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (None, Some(language)) => {
                let language = language.to_owned();
                open = Some(Block { language, lines: Vec::new(), line: index + 1, follows });
            }
            (None, None) => follows &= line.trim().is_empty(),
            (Some(block), Some("")) => {
                blocks.push(block);
                follows = true;
            }
            (Some(mut block), _) => {
                block.lines.push(line.to_owned());
                open = Some(block);
            }
        }
    }
    assert_eq!(open, None, "a block without end");
    blocks
}

impl Block {
    /// The commands of a block of a shell: lines that end in a backslash go on, ` # ` begins a comment.
    pub(crate) fn commands(&self) -> Vec<Line> {
        let whole = self.lines.join("\n").replace("\\\n", " ");
        let command = |line: &str| {
            let (text, comment) = line.split_once("# ").unwrap_or((line, ""));
            let code = ["exit code ", "退出码 "].iter().find_map(|words| comment.split_once(words));
            let digit = code.and_then(|(_, rest)| rest.chars().next()?.to_digit(10));
            let code = digit.map_or(0, |digit| digit as i32);
            Line { text: text.split_whitespace().collect::<Vec<_>>().join(" "), code }
        };
        whole.lines().map(command).filter(|line| !line.text.is_empty()).collect()
    }

    /// The name of the file that a block shows: its first line is a comment and nothing but that name.
    pub(crate) fn file(&self) -> Option<&str> {
        let name = self.lines.first()?.strip_prefix("# ")?;
        let is_name = name.ends_with(".toml") && !name.contains(char::is_whitespace);
        is_name.then_some(name)
    }
}

/// The words of a command; quotes keep blanks together.
pub(crate) fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in command.chars() {
        match quote {
            Some(mark) if c == mark => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ' ' => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All pages in one language, relative to the workspace: the others are held against these.
pub(crate) fn pages() -> Vec<PathBuf> {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("harness/README.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            fs::read_dir(root().join(&folder)).unwrap().map(|entry| entry.unwrap()).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                pages.push(path);
            }
        }
    }
    pages.retain(|page| !page.starts_with("docs/guide/zh"));
    pages
}

/// The page in Chinese, of the readme and of the guide.
pub(crate) fn in_chinese(page: &Path) -> Option<PathBuf> {
    if page == Path::new("README.md") {
        return Some("README.zh.md".into());
    }
    page.strip_prefix("docs/guide/en").ok().map(|rest| Path::new("docs/guide/zh").join(rest))
}

/// The text of a page.
pub(crate) fn read(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|e| panic!("{}: {e}", page.display()))
}
