//! [`Ownership`]: owner and permissions of restored files. Files only; object stores know none.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    location::{entered, modes},
    named::from_text,
    naming::visible,
    setters::setters,
};

/// Owner and permissions of restored files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Ownership {
    /// User and group.
    pub owner: Owner,
    /// Permissions.
    pub modes: Modes,
}

impl Ownership {
    /// Files and directories stay as the restoring process makes them.
    #[must_use]
    pub const fn process_default() -> Self {
        Self { owner: Owner::ProcessDefault, modes: Modes::ProcessDefault }
    }

    setters! {
        /// Sets the owner.
        with_owner(owner: Owner),

        /// Sets the permissions.
        with_modes(modes: Modes),
    }
}

const INHERIT: &str = "inherit";
const PROCESS_DEFAULT: &str = "process_default";

/// The same, as the command line and scripts may write it.
const AS_MADE: [&str; 2] = ["as-made", "as_made"];

/// User and group of the restored files: `inherit`, `process_default` (or `as-made`), or `USER` or `USER:GROUP`, each by name or number.
/// In serde a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Owner {
    /// Those of the target directory, as a container's volume needs it; where the restore makes that, of the nearest one above it,
    /// unless everyone may write there. Where the process may not set them, files stay as they are made, and the report has the
    /// finding `owner-not-kept`.
    #[default]
    Inherit,
    /// Those of the restoring process.
    ProcessDefault,
    /// These. Where the process may not set them, the restore fails before its first copy.
    Explicit {
        /// The user.
        user: Account,
        /// The group; `None`: the user's own where the user is known by name, else the number of the user.
        group: Option<Account>,
    },
}

/// A user or group, by name or number. A text of digits is a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Account {
    /// By number.
    Number(u32),
    /// By a name that this machine knows.
    Name(String),
}

/// Permissions of restored files and directories: `inherit`, `process_default` (or `as-made`), `FILES` or `FILES:DIRECTORIES` in octal
/// digits, such as `0640`. Directories can be entered where files can be read, if they are not given. In serde a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Modes {
    /// Those of the target directory; files without the execute bits, directories with its set-gid bit. Where the process
    /// may not set them, as for [`Owner::Inherit`].
    #[default]
    Inherit,
    /// Those that the restoring process makes.
    ProcessDefault,
    /// These, as permission bits (`0o640`, `0o750`).
    Explicit {
        /// Of files.
        files: u32,
        /// Of directories.
        directories: u32,
    },
}

impl Modes {
    /// These permissions for files, and for directories those that fit them: they can be entered where files can be read.
    #[must_use]
    pub const fn of_files(files: u32) -> Self {
        Self::Explicit { files, directories: entered(files) }
    }
}

/// A text that is not an owner or not a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} `{}`: expected {expected}", visible(.text))]
#[non_exhaustive]
pub struct InvalidOwner {
    /// `owner` or `mode`.
    pub what: &'static str,
    /// The text.
    pub text: String,
    expected: &'static str,
}

impl From<&str> for Account {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        let (user, group) = match text {
            INHERIT => return Ok(Self::Inherit),
            PROCESS_DEFAULT => return Ok(Self::ProcessDefault),
            text if AS_MADE.contains(&text) => return Ok(Self::ProcessDefault),
            _ => text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group))),
        };
        let is_stray = |c: char| c.is_control() || c.is_whitespace();
        if text.starts_with(is_stray) || text.ends_with(is_stray) || text.contains(char::is_control) {
            let expected = "no space or line break around it";
            return Err(InvalidOwner { what: "owner", text: text.to_owned(), expected });
        }
        if user.is_empty() || group.is_some_and(|group| group.is_empty() || group.contains(':')) {
            let expected = "`inherit`, `as-made`, or a user or user:group, by name or number";
            return Err(InvalidOwner { what: "owner", text: text.to_owned(), expected });
        }
        Ok(Self::Explicit { user: user.into(), group: group.map(Account::from) })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inherit => f.write_str(INHERIT),
            Self::ProcessDefault => f.write_str(PROCESS_DEFAULT),
            Self::Explicit { user, group: None } => user.fmt(f),
            Self::Explicit { user, group: Some(group) } => write!(f, "{user}:{group}"),
        }
    }
}

impl FromStr for Modes {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        let read = match text {
            INHERIT => Some(Self::Inherit),
            PROCESS_DEFAULT => Some(Self::ProcessDefault),
            text if AS_MADE.contains(&text) => Some(Self::ProcessDefault),
            _ => modes(text).map(|(files, directories)| Self::Explicit { files, directories }),
        };
        let expected = "`inherit`, `as-made`, or octal digits such as 640 or 640:750 (files:directories)";
        read.ok_or_else(|| InvalidOwner { what: "mode", text: text.to_owned(), expected })
    }
}

impl fmt::Display for Modes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Inherit => f.write_str(INHERIT),
            Self::ProcessDefault => f.write_str(PROCESS_DEFAULT),
            Self::Explicit { files, .. } if *self == Self::of_files(files) => write!(f, "{files:04o}"),
            Self::Explicit { files, directories } => write!(f, "{files:04o}:{directories:04o}"),
        }
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl Serialize for Modes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Modes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_read_and_written() {
        let of =
            |user: &str, group: Option<&str>| Owner::Explicit { user: user.into(), group: group.map(Account::from) };
        let cases = [
            ("inherit", Owner::Inherit),
            ("process_default", Owner::ProcessDefault),
            ("influxdb", of("influxdb", None)),
            ("1500:100", of("1500", Some("100"))),
            ("inherit:inherit", of("inherit", Some("inherit"))),
        ];
        for (text, owner) in cases {
            assert_eq!(text.parse(), Ok(owner.clone()));
            assert_eq!(owner.to_string(), text);
        }
        assert_eq!(Account::from("1500"), Account::Number(1500));
        for text in AS_MADE {
            assert_eq!(text.parse(), Ok(Owner::ProcessDefault));
            assert_eq!(text.parse(), Ok(Modes::ProcessDefault));
        }
        for bad in ["", ":x", "x:", "a:b:c"] {
            assert_eq!(bad.parse::<Owner>().expect_err(bad).what, "owner");
        }
        for (bad, shown) in [("1500\n", r"1500\n"), (" influxdb", " influxdb"), ("1500:\t100", r"1500:\t100")] {
            let error = bad.parse::<Owner>().expect_err(bad).to_string();
            assert_eq!(error, format!("invalid owner `{shown}`: expected no space or line break around it"));
        }
    }

    #[test]
    fn modes_are_read_and_written() {
        let of = |files, directories| Modes::Explicit { files, directories };
        let cases = [
            ("inherit", Modes::Inherit),
            ("process_default", Modes::ProcessDefault),
            ("0640", of(0o640, 0o750)),
            ("0600", of(0o600, 0o700)),
            ("0640:2770", of(0o640, 0o2770)),
        ];
        for (text, modes) in cases {
            assert_eq!(text.parse(), Ok(modes));
            assert_eq!(modes.to_string(), text);
        }
        assert_eq!("640".parse(), Ok(of(0o640, 0o750)));
        for bad in ["", "8", "rw-r--r--", "10000", "640:", "0640:0750:0"] {
            assert_eq!(bad.parse::<Modes>().expect_err(bad).what, "mode");
        }
    }
}
