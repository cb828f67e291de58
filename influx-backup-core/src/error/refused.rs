//! [`Refused`]: what may not be touched in a file system, as an error of it.

use std::{fmt, io, path::PathBuf};

/// What lies on a path, or at its end, and is not touched.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{}` {why}", path.display())]
pub(crate) struct Refused {
    pub(crate) path: PathBuf,
    pub(crate) why: Why,
}

/// Why it is not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A link where none is followed.
    Link,
    /// A link of a source that is only followed within it.
    LeadsOut,
    /// A pipe, a socket or a device.
    NotAFile,
}

impl Why {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "is a link, and links are refused here",
            Self::LeadsOut => LINK_LEADS_OUT,
            Self::NotAFile => "is not a regular file",
        }
    }
}

/// The reason of an error for which there is a hint.
pub(super) const LINK_LEADS_OUT: &str = "is a link that leads out of the location";

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Refused {
    /// As an error of the file system.
    pub(crate) fn error(path: impl Into<PathBuf>, why: Why) -> io::Error {
        io::Error::new(io::ErrorKind::PermissionDenied, Self { path: path.into(), why })
    }

    /// Why that is the error, where it is one of these.
    pub(crate) fn why(error: &io::Error) -> Option<Why> {
        Self::of(error).map(|refused| refused.why)
    }

    /// What was refused, where that is the error.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The same where it is the cause of an error of the object_store crate.
    pub(crate) fn of_store(error: &object_store::Error) -> Option<&Self> {
        match error {
            object_store::Error::Generic { source, .. } => Self::of(source.downcast_ref()?),
            _ => None,
        }
    }
}
