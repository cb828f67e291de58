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
use tokio::{runtime::Handle, time::sleep};

use super::{
    CopyContext, CopyError, Job, StoreChecksums,
    answer::{Answer, Said, request, send, store_says, with},
    encoded, unless_cancelled,
};
use crate::{
    error::StoreErrorKind,
    location::cloud::{ServerSide, azure::Azure},
};

/// How long the service may read a source by a signed URL.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// How often a copy that goes on in the background is asked about.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Microsoft's public cloud, of which each account has a host of its own.
const PUBLIC: &str = ".blob.core.windows.net";

pub(super) fn are_one_service(from: &Azure, to: &Azure) -> bool {
    let one_account = from.account == to.account && from.base == to.base;
    let both_public = from.base.ends_with(PUBLIC) && to.base.ends_with(PUBLIC);
    (one_account || both_public) && from.server_side == ServerSide::Possible && to.server_side == ServerSide::Possible
}

pub(super) async fn copy(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<StoreChecksums, Said> {
    let from_url = format!("from URL at {}", to.base);
    if !job.copier.is_refused(&from_url) {
        let copied = match job.size() <= job.copier.threshold {
            true => put_blob_from_url(job, from, to).await,
            false => put_blocks_from_url(job, from, to).await,
        };
        match copied {
            // The service lacks it (emulators, old Stacks), or may not read the source by a signed URL.
            Err(Said::Never) => job.copier.refuse(from_url),
            Err(Said::NotThis) => {}
            answer => return answer,
        }
    }
    copy_blob(job, from, to).await
}

/// One request, done when it is answered; the target is there as a whole or not at all.
async fn put_blob_from_url(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<StoreChecksums, Said> {
    let put = with(request(Method::PUT, &target(job, to))?, "x-ms-blob-type", "BlockBlob")?;
    let answer = ask_from_url(job, from, to, put).await?;
    job.moved(job.size());
    Ok(StoreChecksums::of_headers(&answer.headers))
}

/// Blocks, each by one request, and then the list of them, which makes them an object.
async fn put_blocks_from_url(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<StoreChecksums, Said> {
    // Another run's blocks must not get between ours. All ids of an object have one length.
    let run = rand::random::<u32>();
    let blocks = job.copier.parts(job.size()).into_iter().enumerate().map(|(index, range)| async move {
        let id = BASE64_STANDARD.encode(format!("{run:08x}-{index:08}"));
        let url = format!("{}?comp=block&blockid={}", target(job, to), encoded(&id).replace('/', "%2F"));
        let range_header = format!("bytes={}-{}", range.start, range.end - 1);
        let put = with(request(Method::PUT, &url)?, "x-ms-source-range", &range_header)?;
        ask_from_url(job, from, to, put).await?;
        job.moved(range.end - range.start);
        Ok::<_, Said>(id)
    });
    let ids: Vec<String> = stream::iter(blocks).buffered(job.copier.parallel).try_collect().await?;
    put_block_list(job, to, &ids).await?.success()?;
    // Of an object made of blocks the service has no checksum.
    Ok(StoreChecksums::default())
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
    ask(to, put, job.context).await
}

/// A request that makes the service read the source, pinned to its version.
async fn ask_from_url(job: &Job<'_>, from: &Azure, to: &Azure, put: HttpRequest) -> Result<Answer, Said> {
    let mut put = with(put, "x-ms-source-if-match", job.e_tag())?;
    let path = job.request.from.path(&job.request.source.key);
    match &*credential(from).await? {
        AzureCredential::BearerToken(token) => {
            put = with(put, "x-ms-copy-source", &url_of(from, &path))?;
            put = with(put, "x-ms-copy-source-authorization", &format!("Bearer {token}"))?;
        }
        _ => put = with(put, "x-ms-copy-source", &signed(from, &path).await?)?,
    }
    let answer = ask(to, put, job.context).await?;
    match answer.status.as_u16() {
        // Azurite's way to say that it lacks the request.
        500 if answer.header("x-ms-error-code").is_none_or(|code| code == "InternalError") => Err(Said::Never),
        // The service could not read the source by the URL that it was given, for whatever reason.
        403 | 404 | 409 if answer.header("x-ms-error-code").is_some_and(|code| code.contains("CopySource")) => {
            Err(Said::NotThis)
        }
        401 | 403 => Err(Said::NotThis),
        _ => answer.success(),
    }
}

/// The service copies in the background, and says so at once or later.
async fn copy_blob(job: &Job<'_>, from: &Azure, to: &Azure) -> Result<StoreChecksums, Said> {
    let path = job.request.from.path(&job.request.source.key);
    let source = match from.account == to.account {
        true => url_of(from, &path),
        false => signed(from, &path).await?,
    };
    let put = with(request(Method::PUT, &target(job, to))?, "x-ms-copy-source", &source)?;
    let put = with(put, "x-ms-source-if-match", job.e_tag())?;
    let mut answer = ask(to, put, job.context).await?.success()?;
    let mut pending = None;
    while answer.header("x-ms-copy-status") == Some("pending") {
        let id = answer.header("x-ms-copy-id").unwrap_or_default().to_owned();
        pending.get_or_insert_with(|| Pending { to: to.clone(), url: target(job, to), id });
        unless_cancelled(&job.context.cancellation, sleep(ASK_EVERY)).await?;
        answer = ask(to, request(Method::HEAD, &target(job, to))?, job.context).await?.success()?;
    }
    match answer.header("x-ms-copy-status") {
        Some("success") => {
            if let Some(pending) = pending {
                pending.forget();
            }
            job.moved(job.size());
            // Copy Blob takes the source's Content-MD5 over unseen: it is no evidence.
            Ok(StoreChecksums::default())
        }
        status => Err(store_says(StoreErrorKind::Unknown, status.unwrap_or("nothing of the copy")).into()),
    }
}

/// A copy in the background, which is stopped, and its unfinished target deleted, when this is dropped.
struct Pending {
    to: Azure,
    url: String,
    id: String,
}

impl Pending {
    fn forget(mut self) {
        self.id.clear();
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let (id, Ok(runtime)) = (std::mem::take(&mut self.id), Handle::try_current()) else { return };
        if id.is_empty() {
            return;
        }
        let (to, url) = (self.to.clone(), self.url.clone());
        // There is nobody to tell.
        runtime.spawn(async move {
            let context = CopyContext::default();
            let abort = request(Method::PUT, &format!("{url}?comp=copy&copyid={id}"));
            if let Ok(abort) = abort.and_then(|abort| with(abort, "x-ms-copy-action", "abort")) {
                drop(ask(&to, abort, &context).await);
            }
            if let Ok(delete) = request(Method::DELETE, &url) {
                drop(ask(&to, delete, &context).await);
            }
        });
    }
}

fn target(job: &Job<'_>, to: &Azure) -> String {
    url_of(to, &job.request.to.path(&job.request.target))
}

fn url_of(place: &Azure, path: &Path) -> String {
    format!("{}/{}/{}", place.base, encoded(&place.container), encoded(path.as_ref()))
}

/// The source's URL with the right to read it. object_store signs keys with odd characters wrongly; the service then says
/// no, and Copy Blob does without.
async fn signed(from: &Azure, path: &Path) -> Result<String, Said> {
    match &*credential(from).await? {
        AzureCredential::SASToken(pairs) => {
            let mut url = url::Url::parse(&url_of(from, path)).map_err(|_| Said::NotThis)?;
            url.query_pairs_mut().extend_pairs(pairs);
            Ok(url.to_string())
        }
        _ => match from.store.signed_url(Method::GET, path, SIGNED_FOR).await {
            Ok(url) => Ok(url.to_string()),
            Err(_) => Err(Said::NotThis),
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
