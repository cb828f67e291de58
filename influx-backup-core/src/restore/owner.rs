//! [`Ownership`]: whose the restored files are. Files only; object stores know no owners.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Whose the restored files are to be, and with which permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// With this owner.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner) -> Self {
        self.owner = owner;
        self
    }

    /// With these permissions.
    #[must_use]
    pub const fn with_modes(mut self, modes: Modes) -> Self {
        self.modes = modes;
        self
    }
}

/// User and group of the restored files. Reads `influxdb`, `influxdb:influxdb`, `1500:1500`, `1500`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Owner {
    /// Those of the target directory: what a container's volume needs.
    #[default]
    Inherit,
    /// Those of the restoring process.
    ProcessDefault,
    /// These.
    Explicit {
        /// The user.
        user: Account,
        /// The group; `None`: the user's own where the user is known by name, else the number of the user.
        group: Option<Account>,
    },
}

/// A user or group, by name or number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// By number.
    Number(u32),
    /// By a name that this machine knows.
    Name(String),
}

/// Permissions of the restored files and directories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Modes {
    /// Those of the target directory; files without the execute bits.
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

impl From<&str> for Account {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number)
    }
}

impl FromStr for Owner {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        if user.is_empty() || group == Some("") {
            let reason = "write user, user:group or their numbers".to_owned();
            return Err(Error::InvalidOption { option: "owner".to_owned(), reason });
        }
        Ok(Self::Explicit { user: user.into(), group: group.map(Account::from) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_read() {
        let of =
            |user: &str, group: Option<&str>| Owner::Explicit { user: user.into(), group: group.map(Account::from) };
        assert_eq!("influxdb".parse::<Owner>().expect("a name"), of("influxdb", None));
        assert_eq!("1500:100".parse::<Owner>().expect("numbers"), of("1500", Some("100")));
        assert_eq!(Account::from("1500"), Account::Number(1500));
        for bad in ["", ":x", "x:"] {
            assert_eq!(bad.parse::<Owner>().expect_err(bad).code(), "invalid-option");
        }
    }
}
