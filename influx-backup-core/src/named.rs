//! [`named!`]: one set of names for an enum, the same in serde, `FromStr`, `Display` and on the command line.

/// Gives an enum of plain variants, or of variants that hold one of those, its names: `ALL`, `NAMES`, `as_str`, `Display`, `FromStr`, `Serialize`,
/// `Deserialize`. The second argument says what the enum is, for the error that lists the choices.
macro_rules! named {
    ($name:ident, $what:literal, { $($variant:ident $(($inner:path))? => $text:literal),+ $(,)? }) => {
        #[allow(unreachable_pub, reason = "an enum may be private")]
        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant $(($inner))?),+];

            /// The names of [`ALL`](Self::ALL), in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The name, the same in serde, `FromStr`, `Display` and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant $(($inner))? => $text),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::named::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|value| value.as_str() == text);
                found.copied().ok_or_else(|| $crate::named::InvalidName {
                    what: $what,
                    text: text.to_owned(),
                    choices: Self::NAMES,
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::named::from_name(deserializer, Self::NAMES)
            }
        }
    };
}

use std::{fmt, marker::PhantomData, str::FromStr};

pub(crate) use named;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor},
};

use crate::naming::visible;

/// A text that is not a name of the enum.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidName {
    /// What was expected, such as `policy`.
    pub what: &'static str,
    /// The text.
    pub text: String,
    /// The names that are known.
    pub choices: &'static [&'static str],
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {} `{}`: expected {}", self.what, visible(&self.text), Choices(self.choices))
    }
}

impl std::error::Error for InvalidName {}

/// Names one of which is expected.
pub(crate) struct Choices(pub(crate) &'static [&'static str]);

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, choice) in self.0.iter().enumerate() {
            let before = match at {
                0 => "",
                _ if at + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}`{choice}`")?;
        }
        Ok(())
    }
}

/// Deserializes one of these names.
pub(crate) fn from_name<'de, T, D>(deserializer: D, names: &'static [&'static str]) -> Result<T, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    struct Name<T>(&'static [&'static str], PhantomData<T>);

    impl<T: FromStr> Visitor<'_> for Name<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", Choices(self.0))
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(|_| E::unknown_variant(text, self.0))
        }
    }

    deserializer.deserialize_str(Name(names, PhantomData))
}

/// Deserializes through `FromStr`.
pub(crate) fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fruit {
        Apple,
        BloodOrange,
        Pear,
    }

    named!(Fruit, "fruit", { Apple => "apple", BloodOrange => "blood_orange", Pear => "pear" });

    #[test]
    fn every_name_is_read_back() {
        for (fruit, name) in Fruit::ALL.iter().zip(Fruit::NAMES) {
            assert_eq!((fruit.as_str(), fruit.to_string().as_str()), (*name, *name));
            assert_eq!(name.parse(), Ok(*fruit));
            let json = serde_json::to_string(fruit).expect("serializes");
            assert_eq!(json, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<Fruit>(&json).expect("a name"), *fruit);
        }
        assert_eq!(Fruit::NAMES, ["apple", "blood_orange", "pear"]);
        assert_eq!(format!("{:<6}|", Fruit::Pear), "pear  |");
    }

    /// The source is read, so that no enum is forgotten: one without fields has its names from [`named!`].
    #[test]
    fn every_enum_without_fields_is_named_in_snake_case() {
        let mut named = 0;
        for file in walkdir::WalkDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")) {
            let file = file.expect("readable");
            let path = file.path().display().to_string();
            if !path.ends_with(".rs")
                || path.contains("tests")
                || path.ends_with("named.rs")
                || path.contains("/cloud/")
            {
                continue;
            }
            let source = std::fs::read_to_string(file.path()).expect("readable");
            let source = source.split("#[cfg(test)]\nmod tests {").next().expect("some");
            for names in source.split("named!(").skip(1).map(|rest| rest.split(");").next().expect("an end")) {
                let texts = names.split("=> \"").skip(1).map(|rest| rest.split('"').next().expect("an end"));
                let is_clause = names.starts_with("Clause,");
                for text in texts {
                    let is_snake_case = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                    assert!(is_clause || text.chars().all(is_snake_case), "{path}: {text}");
                }
                named += 1;
            }
            for (before, body) in source.match_indices("enum ").map(|(at, _)| source.split_at(at)) {
                let attributes = before.rsplit("\n\n").next().expect("some");
                let body = body.split("\n}").next().expect("an end");
                let variants = body.lines().skip(1).map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
                let has_fields = variants.clone().any(|line| !line.ends_with(',') || line.contains(['(', '{']));
                let is_plain = !has_fields && variants.count() > 0;
                assert!(!is_plain || !attributes.contains("Serialize"), "{path}: use named! for {body}");
            }
        }
        assert!(named > 30, "{named}");
    }

    #[test]
    fn another_text_is_refused_with_the_choices() {
        let expected = "invalid fruit `Apple`: expected `apple`, `blood_orange` or `pear`";
        assert_eq!("Apple".parse::<Fruit>().expect_err("upper case").to_string(), expected);
        let error = serde_json::from_str::<Fruit>("\"Apple\"").expect_err("upper case").to_string();
        assert!(error.starts_with("unknown variant `Apple`, expected one of `apple`, `blood_orange`"), "{error}");
    }
}
