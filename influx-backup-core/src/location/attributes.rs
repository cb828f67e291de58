//! The metadata of objects, by names that are the same for all stores.

use std::collections::BTreeMap;

use object_store::Attribute;

use super::{Location, Provider};

/// Metadata that a store returns with an object, by name: `cache-control`, `content-disposition`, `content-encoding`,
/// `content-language`, `content-type`, and `x-meta-…` for the user's own.
pub type Attributes = BTreeMap<String, String>;

/// What the user's own metadata begins with.
const USERS: &str = "x-meta-";

impl Location {
    /// Whether an object here can have the attribute of this name. Files have none; Azure takes names of metadata only
    /// where C# would take them for an identifier.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        match (self.provider(), name.strip_prefix(USERS)) {
            (Provider::File, _) => false,
            (Provider::Azure, Some(name)) => is_identifier(name),
            _ => true,
        }
    }

    /// Those of `attributes` that an object here can have.
    pub(crate) fn kept(&self, attributes: &Attributes) -> Attributes {
        let kept = attributes.iter().filter(|(name, _)| self.keeps(name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn is_identifier(name: &str) -> bool {
    let fits = |at: usize, c: char| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
    !name.is_empty() && name.chars().enumerate().all(|(at, c)| fits(at, c))
}

/// The attributes of the object_store crate as plain names.
pub(crate) fn attributes_of(attributes: &object_store::Attributes) -> Attributes {
    let name = |attribute: &Attribute| match attribute {
        Attribute::ContentDisposition => Some("content-disposition".to_owned()),
        Attribute::ContentEncoding => Some("content-encoding".to_owned()),
        Attribute::ContentLanguage => Some("content-language".to_owned()),
        Attribute::ContentType => Some("content-type".to_owned()),
        Attribute::CacheControl => Some("cache-control".to_owned()),
        Attribute::Metadata(key) => Some(format!("{USERS}{key}")),
        _ => None,
    };
    attributes.iter().filter_map(|(attribute, value)| Some((name(attribute)?, value.to_string()))).collect()
}

/// Plain names as attributes of the object_store crate; the inverse of [`attributes_of`].
pub(crate) fn attributes_from(attributes: &Attributes) -> object_store::Attributes {
    let attribute = |name: &str| match name {
        "content-disposition" => Some(Attribute::ContentDisposition),
        "content-encoding" => Some(Attribute::ContentEncoding),
        "content-language" => Some(Attribute::ContentLanguage),
        "content-type" => Some(Attribute::ContentType),
        "cache-control" => Some(Attribute::CacheControl),
        _ => name.strip_prefix(USERS).map(|key| Attribute::Metadata(key.to_owned().into())),
    };
    let pairs = attributes.iter().filter_map(|(name, value)| Some((attribute(name)?, value.clone())));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::{memory::InMemory, path::Path};

    use super::*;
    use crate::location::Identity;

    #[test]
    fn a_store_is_given_what_it_can_keep() {
        let azure = Identity::Azure { account: "a".to_owned(), container: "c".to_owned() };
        let azure = Location::with_store(Arc::new(InMemory::new()), Path::default(), azure);
        let names = ["content-type", "x-meta-owner", "x-meta-_2", "x-meta-2", "x-meta-a-b", "x-meta-", "x-meta-\u{fc}"];
        let all: Attributes = names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        assert_eq!(azure.kept(&all).into_keys().collect::<Vec<_>>(), ["content-type", "x-meta-_2", "x-meta-owner"]);
        assert_eq!(Location::in_memory().kept(&all), all);
        let directory = tempfile::tempdir().expect("a directory");
        let files = Location::parse(directory.path().to_str().expect("UTF-8"), &Default::default());
        assert_eq!(files.expect("a location").kept(&all), Attributes::new());
    }

    #[test]
    fn names_are_the_same_there_and_back() {
        let names = ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type"];
        let all: Attributes =
            names.iter().chain(&["x-meta-owner"]).map(|name| ((*name).to_owned(), format!("of {name}"))).collect();
        assert_eq!(attributes_of(&attributes_from(&all)), all);
    }
}
