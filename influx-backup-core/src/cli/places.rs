//! From what people type to [`Location`]s.

use crate::{
    Location, Repository, StoreOptions,
    cli::{failure::Failure, progress::until_interrupted, screen::Screen, settings::Setting},
    location::without_secrets,
    naming::visible,
    preflight,
};

/// A location; options that `settings` do not have come from the environment.
pub(crate) fn location(text: &str, settings: &[Setting]) -> Result<Location, Failure> {
    let environment = StoreOptions::from_env();
    let options = settings.iter().fold(environment, |options, Setting { name, value }| options.with(name, value));
    Ok(Location::parse(text, &options)?)
}

/// A repository that exists: a directory that is missing is more likely mistyped than empty.
pub(crate) async fn repository(text: &str, settings: &[Setting], screen: &Screen) -> Result<Repository, Failure> {
    let location = location(text, settings)?;
    let open = async {
        preflight::source(&location).await?;
        Repository::open(location).await
    };
    Ok(until_interrupted(open, screen).await?)
}

/// A backup, typed as its repository with its name as the last segment.
pub(crate) async fn backup(text: &str, settings: &[Setting], screen: &Screen) -> Result<(Repository, String), Failure> {
    let (repository, name) = split(text).ok_or_else(|| {
        Failure::usage(format!(
            "`{}` names no backup: write REPOSITORY/NAME, a path or a URL",
            visible(without_secrets(text))
        ))
    })?;
    let repository = until_interrupted(Repository::open(location(&repository, settings)?), screen).await?;
    Ok((repository, name))
}

/// Repository and name. Paths are made absolute, so that `.` works; the name stands for itself, as a link in a repository is refused.
fn split(text: &str) -> Option<(String, String)> {
    let text = text.trim_end_matches('/');
    let Some((scheme, rest)) = text.split_once("://") else {
        let path = std::path::absolute(text).ok()?;
        // What ends in `..` has no name.
        let path = if path.file_name().is_some() { path } else { std::fs::canonicalize(path).ok()? };
        return Some((path.parent()?.to_str()?.to_owned(), path.file_name()?.to_str()?.to_owned()));
    };
    let (repository, name) = rest.rsplit_once('/')?;
    if scheme == "file" && repository.is_empty() {
        return Some(("file:///".to_owned(), name.to_owned()));
    }
    (!repository.is_empty()).then(|| (format!("{scheme}://{repository}"), name.to_owned()))
}
