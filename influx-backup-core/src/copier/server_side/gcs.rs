//! Google's `rewriteTo`, which is asked again until it is done.

use http::Method;
use serde::Deserialize;

use super::{
    CopyError, Job, Made, StoreChecksums,
    answer::{CopyRefusal, Failure, request, send, store_error, success},
};
use crate::{error::StoreErrorKind, location::cloud::gcs::Gcs};

/// An answer of `rewriteTo`; its numbers are texts, as in all of Google's JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rewritten {
    done: bool,
    rewrite_token: Option<String>,
    total_bytes_rewritten: Option<String>,
    resource: Option<Resource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    crc32c: Option<String>,
    md5_hash: Option<String>,
}

pub(super) async fn copy(job: &Job<'_>, from: &Gcs, to: &Gcs) -> Result<Made, Failure> {
    // Its generation is the version of an object; without one it cannot be pinned.
    let generation = job.source.version.as_deref().ok_or(CopyRefusal::Object)?;
    let object = |path: &object_store::path::Path| path_segment(path.as_ref());
    let url = format!(
        "{}/storage/v1/b/{}/o/{}/rewriteTo/b/{}/o/{}?sourceGeneration={generation}",
        to.base,
        path_segment(&from.bucket),
        object(&job.request.from.path(&job.request.source.key)),
        path_segment(&to.bucket),
        object(&job.request.to.path(&job.request.target)),
    );
    let mut token = None::<String>;
    let mut reported = 0;
    loop {
        let more = token.as_deref().map(|token| format!("&rewriteToken={}", path_segment(token))).unwrap_or_default();
        let rewritten = rewrite(job, to, &format!("{url}{more}")).await?;
        let so_far = rewritten.total_bytes_rewritten.as_deref().and_then(|text| text.parse().ok()).unwrap_or(reported);
        let so_far = if rewritten.done { job.size() } else { so_far.clamp(reported, job.size()) };
        job.moved(so_far - reported);
        reported = so_far;
        match (rewritten.done, rewritten.rewrite_token) {
            (true, _) => {
                let resource = rewritten.resource.unwrap_or(Resource { crc32c: None, md5_hash: None });
                let checksums = StoreChecksums { crc64: None, crc32c: resource.crc32c, md5: resource.md5_hash };
                // The entity tag in this answer is not the one that listings show.
                return Ok(Made { checksums, version: None });
            }
            (false, Some(next)) => token = Some(next),
            (false, None) => {
                return Err(store_error(
                    StoreErrorKind::Unknown,
                    "neither that it is done nor a token to continue with",
                )
                .into());
            }
        }
    }
}

async fn rewrite(job: &Job<'_>, to: &Gcs, url: &str) -> Result<Rewritten, Failure> {
    let request = to.authorized(request(Method::POST, url)?).await;
    let request = request.map_err(|error| CopyError::from_target("authorize", error))?;
    let sent = job.request.send()?;
    let answer = send(&to.http, request, job.context).await?;
    sent.end_as(answer.failure());
    let answer = success(answer).map_err(|failure| match failure {
        // The generation was there a moment ago.
        Failure::Copy(CopyError::Vanished) => CopyError::Changed.into(),
        failure => failure,
    })?;
    let invalid = |_| store_error(StoreErrorKind::Unknown, "something else than the result of a rewrite");
    Ok(serde_json::from_str(&answer.body).map_err(invalid)?)
}

/// A name as one segment of a path.
fn path_segment(name: &str) -> String {
    super::encoded(name).replace('/', "%2F")
}
