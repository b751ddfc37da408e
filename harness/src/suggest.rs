//! The allowed name that is nearest to an unknown one, for error messages.
//!
//! Nearest by the Jaro-Winkler similarity, which forgives a missing letter, two that are swapped, and all that follows a
//! right beginning. Below 0.8 nothing is suggested: another word was meant.

/// From here on two names are taken for one that is misspelt.
const SIMILAR: f64 = 0.8;

/// `; did you mean ...?`, or nothing where no name is near.
pub(crate) fn did_you_mean<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let found = found.to_lowercase();
    let scored = names.into_iter().map(|name| (strsim::jaro_winkler(&found, &name.to_lowercase()), name));
    match scored.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((similarity, name)) if similarity > SIMILAR => format!("; did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// The same where names stand in a list of which each may have a parameter after a colon; the one found may as well.
pub(crate) fn did_you_mean_of(found: &str, list: &str) -> String {
    let bare = |text: &'_ str| text.split(':').next().unwrap_or_default().to_owned();
    let names: Vec<String> = list.split(", ").map(bare).collect();
    let found = bare(found);
    // Of a name that is right the parameter is wrong, and the list shows what that looks like.
    if names.contains(&found) {
        return String::new();
    }
    did_you_mean(&found, names.iter().map(String::as_str))
}

/// What is wrong with a TOML text, in the words of its reader, and the nearest allowed name where a key or a value is none.
///
/// Readers made by serde list the allowed names behind the one that was found: those of fields and variants in backticks,
/// those that may stand in the place of a number in quotes.
pub(crate) fn with_suggestion(error: &toml::de::Error) -> String {
    const MARKS: [(&str, char); 3] =
        [("unknown field ", '`'), ("unknown variant ", '`'), ("invalid value: string ", '"')];
    let mark = MARKS.iter().find(|(start, _)| error.message().starts_with(start)).map(|(_, mark)| *mark);
    let mut names = mark.into_iter().flat_map(|mark| error.message().split(mark).skip(1).step_by(2));
    let near = names.next().map_or(String::new(), |found| did_you_mean(found, names));
    format!("{}{near}", error.to_string().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_recognised_and_other_words_are_not() {
        let names = ["sigmoid", "tanh", "relu", "gelu", "silu"];
        for (found, name) in [("sigmiod", "sigmoid"), ("ReLU", "relu"), ("tahn", "tanh"), ("rleu", "relu")] {
            assert_eq!(did_you_mean(found, names), format!("; did you mean `{name}`?"));
        }
        for found in ["moons", "", "x", "identity"] {
            assert_eq!(did_you_mean(found, names), "", "{found}");
        }
        assert_eq!(did_you_mean_of("laeky:0.1", "relu, leaky:0.01, elu"), "; did you mean `leaky`?");
        assert_eq!(did_you_mean_of("leaky:x", "relu, leaky:0.01, elu"), "");
    }

    #[test]
    fn errors_of_readers_end_with_the_nearest_name() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its errors are looked at")]
        struct Table {
            depth: u32,
            kind: Option<Kind>,
        }
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Kind {
            Batch,
            GlobalNorm,
        }
        let error = |text: &str| with_suggestion(&toml::from_str::<Table>(text).unwrap_err());
        for (text, near) in [
            ("dept = 3", "`kind`; did you mean `depth`?"),
            ("depth = 3\nkind = \"globalnorm\"", "`global-norm`; did you mean `global-norm`?"),
        ] {
            assert!(error(text).ends_with(near), "{}", error(text));
        }
        // Neither another word nor another fault has a suggestion.
        for text in
            ["depth = 3\nkind = \"x\"", "colour = 3", "kind = \"batch\"", "depth = \"kind\"", "depth = "]
        {
            assert!(!error(text).contains("did you mean"), "{}", error(text));
            assert!(!error(text).ends_with('\n'), "{text}");
        }
    }
}
