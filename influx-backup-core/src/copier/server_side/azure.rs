//! Put Blob From URL, Put Block From URL, and Copy Blob where the service has neither.

use std::{fmt::Write, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::Method;
use object_store::{
    azure::AzureCredential,
    client::{HttpRequest, HttpRequestBody},
    path::Path,
    signer::Signer,
};
use tokio::time::sleep;

use super::{
    super::clean_up::{Undo, UndoOnDrop},
    CopyContext, CopyError, Job, Made, StoreChecksums,
    answer::{CopyRefusal, Failure, request, send, store_error, success, with},
    encoded, unless_cancelled,
};
use crate::{
    error::StoreErrorKind,
    location::cloud::{Capability, azure::Azure, requests::Answer},
};

/// How long the service may read a source by a signed URL.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// How often a copy that runs in the background is polled.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Microsoft's public cloud, of which each account has a host of its own.
const PUBLIC: &str = ".blob.core.windows.net";

pub(super) fn are_one_service(from: &Azure, to: &Azure) -> bool {
    let one_account = from.account == to.account && from.base == to.base;
    let both_public = from.base.ends_with(PUBLIC) && to.base.ends_with(PUBLIC);
    (one_account || both_public) && from.server_side == Capability::Possible && to.server_side == Capability::Possible
}

pub(super) async fn copy(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<Made, Failure> {
    let from_url = format!("from URL at {}", to.base);
    if !job.copier.refusals.is_refused(&from_url) {
        let copied = if job.size() <= job.copier.threshold {
            put_blob_from_url(job, from, to).await
        } else {
            put_blocks_from_url(job, from, to).await
        };
        match copied {
            // The service lacks the request (emulators, old Stacks), or may not read the source by a signed URL.
            Err(Failure::Refused(refusal)) => job.copier.remember(refusal, &from_url, &job.request.source.key),
            Err(failure) => return Err(failure),
            Ok(made) => {
                job.copier.refusals.allow(&from_url);
                return Ok(made);
            }
        }
    }
    copy_blob(job, from, to).await
}

/// One request, done when it is answered; the target is there as a whole or not at all.
async fn put_blob_from_url(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<Made, Failure> {
    let put = with(request(Method::PUT, &target(job, to))?, "x-ms-blob-type", "BlockBlob")?;
    let answer = ask_from_url(job, from, to, put).await?;
    job.moved(job.size());
    Ok(Made::of_headers(StoreChecksums::of_headers(&answer.headers), &answer.headers))
}

/// Blocks, each by one request, and then the list of them, which makes them an object.
async fn put_blocks_from_url(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<Made, Failure> {
    // Ids of this run only, so that blocks of another run cannot get between them. All ids of an object have one length.
    let run = rand::random::<u32>();
    let blocks = job.copier.parts(job.size()).into_iter().enumerate().map(|(index, range)| async move {
        let id = BASE64_STANDARD.encode(format!("{run:08x}-{index:08}"));
        let url = format!("{}?comp=block&blockid={}", target(job, to), encoded(&id).replace('/', "%2F"));
        let range_header = format!("bytes={}-{}", range.start, range.end - 1);
        let put = with(request(Method::PUT, &url)?, "x-ms-source-range", &range_header)?;
        ask_from_url(job, from, to, put).await?;
        job.moved(range.end - range.start);
        Ok::<_, Failure>(id)
    });
    let ids: Vec<String> = stream::iter(blocks).buffered(job.copier.parallel).try_collect().await?;
    let answer = success(put_block_list(job, to, &ids).await?)?;
    // Of an object made of blocks the service has no checksum.
    Ok(Made::of_headers(StoreChecksums::default(), &answer.headers))
}

async fn put_block_list(job: &Job<'_>, to: &Azure, ids: &[String]) -> Result<Answer, CopyError> {
    let mut list = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for id in ids {
        let _ = write!(list, "<Latest>{id}</Latest>");
    }
    list.push_str("</BlockList>");
    let mut put = request(Method::PUT, &format!("{}?comp=blocklist", target(job, to)))?;
    put.headers_mut().insert(http::header::CONTENT_LENGTH, list.len().into());
    for (name, value) in &job.source.attributes {
        let name = match name.strip_prefix("x-meta-") {
            Some(name) => format!("x-ms-meta-{name}"),
            None => format!("x-ms-blob-{name}"),
        };
        let name = http::HeaderName::try_from(name).map_err(|_| CopyError::Unsupported)?;
        put.headers_mut().insert(name, value.parse().map_err(|_| CopyError::Unsupported)?);
    }
    *put.body_mut() = HttpRequestBody::from(Bytes::from(list));
    let sent = job.request.send()?;
    let answer = ask(to, put, job.context).await?;
    sent.end_as(answer.failure());
    Ok(answer)
}

/// A request that makes the service read the source, pinned to its version.
async fn ask_from_url(job: &Job<'_>, from: &Azure, to: &Azure, put: HttpRequest) -> Result<Answer, Failure> {
    let mut put = with(put, "x-ms-source-if-match", job.e_tag())?;
    let path = job.request.from.path(&job.request.source.key);
    match &*credential(from).await? {
        AzureCredential::BearerToken(token) => {
            put = with(put, "x-ms-copy-source", &from.url(&path))?;
            put = with(put, "x-ms-copy-source-authorization", &format!("Bearer {token}"))?;
        }
        _ => put = with(put, "x-ms-copy-source", &signed(from, &path).await?)?,
    }
    let sent = job.request.send()?;
    let answer = ask(to, put, job.context).await?;
    // Azurite answers so because it lacks the request; the service does where something failed for a moment.
    if answer.status.as_u16() == 500 && answer.header("x-ms-error-code").is_none_or(|code| code == "InternalError") {
        sent.answered();
        return Err(CopyRefusal::Unclear.into());
    }
    sent.end_as(answer.failure());
    match answer.status.as_u16() {
        // The service could not read the source by its URL.
        403 | 404 | 409 if answer.header("x-ms-error-code").is_some_and(|code| code.contains("CopySource")) => {
            Err(CopyRefusal::Object.into())
        }
        401 | 403 if answer.failure() != Some(StoreErrorKind::Full) => Err(CopyRefusal::Object.into()),
        _ => success(answer),
    }
}

/// The service copies in the background; its answer tells whether the copy has ended.
async fn copy_blob(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<Made, Failure> {
    let path = job.request.from.path(&job.request.source.key);
    let source = if from.account == to.account { from.url(&path) } else { signed(from, &path).await? };
    let put = with(request(Method::PUT, &target(job, to))?, "x-ms-copy-source", &source)?;
    let put = with(put, "x-ms-source-if-match", job.e_tag())?;
    let sent = job.request.send()?;
    let answer = ask(to, put, job.context).await?;
    sent.end_as(answer.failure());
    let mut answer = success(answer)?;
    let mut pending = None;
    while answer.header("x-ms-copy-status") == Some("pending") {
        let id = answer.header("x-ms-copy-id").unwrap_or_default().to_owned();
        pending.get_or_insert_with(|| UndoOnDrop::new(Pending::new(job, to, id), &job.context.clean_ups));
        unless_cancelled(&job.context.cancellation, sleep(ASK_EVERY)).await?;
        answer = success(ask(to, request(Method::HEAD, &target(job, to))?, job.context).await?)?;
    }
    match answer.header("x-ms-copy-status") {
        Some("success") => {
            if let Some(pending) = pending {
                pending.keep();
            }
            job.moved(job.size());
            // Copy Blob takes over the Content-MD5 of the source without reading the bytes: it is not evidence.
            Ok(Made::of_headers(StoreChecksums::default(), &answer.headers))
        }
        status => Err(store_error(StoreErrorKind::Unknown, status.unwrap_or("nothing about the copy")).into()),
    }
}

/// A copy in the background, and its unfinished target.
struct Pending {
    to: Azure,
    path: Path,
    id: String,
    stall_timeout: Duration,
}

impl Pending {
    fn new(job: &Job<'_>, to: &Azure, id: String) -> Self {
        let path = job.request.to.path(&job.request.target);
        Self { to: to.clone(), path, id, stall_timeout: job.context.stall_timeout }
    }

    /// Stops the copy, and deletes its target unless that was written meanwhile or is complete.
    async fn stop(&self) -> Result<(), Failure> {
        let context = CopyContext { stall_timeout: self.stall_timeout, ..CopyContext::default() };
        let url = self.to.url(&self.path);
        let abort = request(Method::PUT, &format!("{url}?comp=copy&copyid={}", encoded(&self.id)))?;
        ask(&self.to, with(abort, "x-ms-copy-action", "abort")?, &context).await?;
        let found = success(ask(&self.to, request(Method::HEAD, &url)?, &context).await?)?;
        let is_own = found.header("x-ms-copy-id") == Some(&self.id);
        let is_complete = found.header("x-ms-copy-status") == Some("success");
        if let Some(e_tag) = found.header("etag")
            && is_own
            && !is_complete
        {
            let deleted = self.to.delete_if_match(&self.path, e_tag).await;
            deleted.map_err(|error| CopyError::from_target("delete", error))?;
        }
        Ok(())
    }
}

impl Undo for Pending {
    async fn undo(self) {
        // Best effort: an empty object that stays is found by the listing before the commit.
        let _ = self.stop().await;
    }
}

fn target(job: &Job<'_>, to: &Azure) -> String {
    to.url(&job.request.to.path(&job.request.target))
}

/// The source's URL with the right to read it. object_store signs keys with unusual characters wrongly; the service then
/// refuses, and Copy Blob does without.
async fn signed(from: &Azure, path: &Path) -> Result<String, Failure> {
    match &*credential(from).await? {
        AzureCredential::SASToken(pairs) => {
            let mut url = url::Url::parse(&from.url(path)).map_err(|_| CopyRefusal::Object)?;
            url.query_pairs_mut().extend_pairs(pairs);
            Ok(url.to_string())
        }
        _ => match from.store.signed_url(Method::GET, path, SIGNED_FOR).await {
            Ok(url) => Ok(url.to_string()),
            Err(_) => Err(CopyRefusal::Object.into()),
        },
    }
}

async fn credential(place: &Azure) -> Result<std::sync::Arc<AzureCredential>, CopyError> {
    place.store.credentials().get_credential().await.map_err(|error| CopyError::from_target("authorize", error))
}

/// Authorizes and sends a request.
async fn ask(to: &Azure, request: HttpRequest, context: &CopyContext) -> Result<Answer, CopyError> {
    let authorized = to.authorized(request).await.map_err(|error| CopyError::from_target("authorize", error))?;
    send(&to.http, authorized, context).await
}
