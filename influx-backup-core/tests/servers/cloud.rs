//! Stores that the environment names: real clouds.

use std::io::Write;

use futures::{StreamExt, TryStreamExt};
use influx_backup_core::{Location, StoreOptions, location::interop};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::{Leftover, s3_account};

/// The variables; each holds the URL of a bucket or of a prefix in one.
const VARIABLES: [&str; 3] = ["INFLUX_BACKUP_TEST_S3", "INFLUX_BACKUP_TEST_AZURE", "INFLUX_BACKUP_TEST_GCS"];

/// A prefix of its own in a bucket of somebody else's. Everything below it is deleted on drop, also when a test panics.
#[derive(Debug)]
pub(crate) struct Cloud {
    url: String,
    options: StoreOptions,
}

impl Cloud {
    /// What the environment names, with credentials and endpoints under their usual names.
    pub(crate) fn of_environment() -> Vec<Self> {
        let urls = VARIABLES.iter().filter_map(|name| std::env::var(name).ok()).filter(|url| !url.is_empty());
        urls.map(|url| Self::below(&url, StoreOptions::from_env())).collect()
    }

    /// A fresh prefix below a URL.
    pub(crate) fn below(url: &str, options: StoreOptions) -> Self {
        let url = format!("{}/influx-backup-test-{:016x}", url.trim_end_matches('/'), rand::random::<u64>());
        Self { url, options }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn location(&self, prefix: &str) -> Location {
        Location::parse(&format!("{}/{prefix}", self.url), &self.options).expect("a location")
    }

    /// What the services document.
    pub(crate) fn page(&self) -> usize {
        if self.url.starts_with("az") { 5_000 } else { 1_000 }
    }

    /// Of S3 only: the others list uploads by requests that object_store has no call for.
    pub(crate) async fn leftovers(&self) -> Vec<Leftover> {
        if !self.url.starts_with("s3") {
            return Vec::new();
        }
        let builder = AmazonS3Builder::new().with_url(&self.url);
        let builder = self.options.iter().fold(builder, |builder, (name, value)| match name.parse() {
            Ok(AmazonS3ConfigKey::Bucket) | Err(_) => builder,
            Ok(key) => builder.with_config(key, value),
        });
        let below = self.url.splitn(4, '/').nth(3).expect("a prefix");
        let mut leftovers = s3_account::uploads(&builder.build().expect("a client of the bucket")).await;
        leftovers.retain(|leftover| leftover.key.starts_with(below));
        leftovers
    }

    async fn delete_everything(url: &str, options: &StoreOptions) -> Result<(), Box<dyn std::error::Error>> {
        let location = Location::parse(url, options)?;
        let below = object_store::path::Path::parse(url.splitn(4, '/').nth(3).unwrap_or_default())?;
        let found = interop::store(&location).list(Some(&below)).map_ok(|object| object.location).boxed();
        interop::store(&location).delete_stream(found).try_for_each(|_| async { Ok(()) }).await?;
        Ok(())
    }
}

impl Drop for Cloud {
    /// On a thread with a runtime of its own: the test's may be gone, and cannot be waited for here.
    fn drop(&mut self) {
        let url = self.url.clone();
        let options = self.options.clone();
        let cleaned = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(Self::delete_everything(&url, &options)).map_err(|error| error.to_string())
        });
        if let Err(error) = cleaned.join().unwrap_or_else(|_| Err("the cleaning panicked".to_owned())) {
            writeln!(std::io::stderr(), "left behind: {}: {error}", self.url).ok();
        }
    }
}
