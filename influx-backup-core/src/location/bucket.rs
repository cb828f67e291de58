//! Names of buckets and containers.

/// Finds what a name must not have. What one store allows, and no other, is left to that store: S3 once took capital letters
/// and `_`, and stores that speak S3 have rules of their own.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(scheme: &str, name: &str) -> Result<(), &'static str> {
    if matches!(scheme, "az" | "azure" | "abfs" | "abfss") {
        return container(name);
    }
    let longest = if scheme == "gs" { 222 } else { 255 };
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !name.chars().all(fit) {
        return Err("the name of a bucket has letters, digits, `-`, `.` and `_` alone");
    }
    if name.starts_with(['.', '-']) || name.ends_with(['.', '-']) || name.contains("..") {
        return Err("the name of a bucket has a letter or a digit at its ends, and never two dots in a row");
    }
    if name.len() > longest { Err("the name of the bucket is too long") } else { Ok(()) }
}

fn container(name: &str) -> Result<(), &'static str> {
    let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let of_azure = ["$root", "$logs", "$web"].contains(&name);
    if of_azure || (name.chars().all(fit) && !name.starts_with('-') && !name.ends_with('-') && name.len() <= 63) {
        return Ok(());
    }
    Err("the name of a container has at most 63 small letters, digits and `-`, and no `-` at its ends")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_some_store_allows() {
        for (scheme, name) in [
            ("s3", "b"),
            ("s3", "My_Old_Bucket"),
            ("s3", "data--use1-az4--x-s3"),
            ("s3", "192.168.1.1"),
            ("gs", "a.example.com"),
            ("az", "nightly-1"),
            ("az", "$web"),
        ] {
            assert_eq!(check(scheme, name), Ok(()), "{name}");
        }
        let long = "a".repeat(256);
        for (scheme, name) in [
            ("s3", "a%20b"),
            ("s3", ".."),
            ("s3", "a..b"),
            ("s3", "-a"),
            ("s3", "a*"),
            ("s3", &long),
            ("gs", &long[..223]),
            ("gs", "a:b"),
            ("az", "Nightly"),
            ("az", "a_b"),
            ("az", &long[..64]),
            ("az", "$data"),
        ] {
            assert!(check(scheme, name).is_err(), "{scheme} {name}");
        }
    }
}
