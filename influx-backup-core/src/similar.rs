//! [`similar`]: names that somebody may have meant who wrote another one.

use std::collections::BTreeSet;

/// How many names are offered.
const MOST: usize = 3;

/// The names that are close to this text, the closest first: a few letters differ, or words are missing.
pub(crate) fn similar(text: &str, names: &[String]) -> Vec<String> {
    let words = |text: &str| text.split('_').map(str::to_owned).collect::<BTreeSet<_>>();
    let given = words(text);
    let is_close = |name: &str, distance: usize| {
        let lacks_words = given.len() > 1 && given.is_subset(&words(name));
        distance <= 1 + text.len() / 6 || lacks_words
    };
    let distances = names.iter().map(|name| (strsim::damerau_levenshtein(text, name), name));
    let mut close: Vec<_> = distances.filter(|(distance, name)| is_close(name, *distance)).collect();
    close.sort();
    close.into_iter().take(MOST).map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_among_them() {
        let names = ["aws_endpoint", "aws_region", "azure_storage_account", "azure_storage_access_key"];
        let names = names.map(str::to_owned);
        for (text, meant) in [
            ("aws_endpont", vec!["aws_endpoint"]),
            ("aws_reigon", vec!["aws_region"]),
            ("azure_account", vec!["azure_storage_account"]),
            ("aws_endpoint", vec!["aws_endpoint"]),
            ("google_bucket", vec![]),
            ("aws", vec![]),
        ] {
            assert_eq!(similar(text, &names), meant, "{text}");
        }
    }
}
