//! [`FileOptions`]: the options of directories.

use super::StoreOptions;
use crate::{
    error::{Error, Result},
    location::{Links, Made, Provider, modes},
    named::InvalidName,
    similar::similar,
};

/// How a directory is read and written.
pub(in crate::location) struct FileOptions {
    pub(in crate::location) links: Links,
    pub(in crate::location) made: Made,
}

impl FileOptions {
    /// Reads what was given. Nothing of it comes from the environment.
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::InvalidOption`].
    pub(in crate::location) fn read(options: &StoreOptions) -> Result<Self> {
        let mut read = Self { links: Links::Within, made: Made::PRIVATE };
        for (option, value) in options.given().filter(|(_, value)| !value.is_empty()) {
            match option {
                "file_links" => {
                    let links =
                        value.parse().map_err(|error: InvalidName| Error::invalid_option(option, error.to_string()));
                    read.links = links?;
                }
                "file_mode" => read.made = made(value).ok_or_else(|| Error::invalid_option(option, MODE))?,
                _ => {
                    let names = StoreOptions::known(Provider::File);
                    return Err(options.unknown(option, "files", &similar(option, &names)));
                }
            }
        }
        Ok(read)
    }
}

const MODE: &str = "expected octal digits such as 640 or 640:750 (files:directories) that let the owner read and write, not \
                    everyone write, and no one run a file";

/// What this program could not read again, what everyone could forge and what could be run is no mode.
fn made(text: &str) -> Option<Made> {
    let (files, directories) = modes(text)?;
    let is_fit = |mode: u32, owners: u32, most: u32| mode & owners == owners && mode & !most == 0;
    let fit = is_fit(files, 0o600, 0o664) && is_fit(directories, 0o700, 0o2775);
    fit.then_some(Made { files: Some(files), directories: Some(directories), ..Made::PRIVATE })
}
