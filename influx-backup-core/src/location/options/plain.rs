//! What no value of an option and no URL has.

/// Finds what a value of one line must not have.
///
/// # Errors
/// What is wrong with it. It holds nothing of the value.
pub(in crate::location) fn plain(value: &str) -> Result<(), &'static str> {
    if value.contains('\u{fffd}') {
        return Err("it is not UTF-8");
    }
    if value.ends_with(['\n', '\r']) {
        return Err("it ends with a line break: a Kubernetes secret made with `echo` has one, use `echo -n`");
    }
    if value.chars().any(char::is_control) {
        return Err("it has a line break or another control character");
    }
    if value.trim() != value {
        return Err("it has white space at an end");
    }
    if ['"', '\''].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote)) {
        return Err("it stands in quotes: only shells take them away, a file for `docker --env-file` has none");
    }
    Ok(())
}
