//! CopyObject and UploadPartCopy.

use std::{ops::Range, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderName, HeaderValue, Method};
use object_store::{
    MultipartId, PutMultipartOptions,
    aws::AmazonS3,
    multipart::{MultipartStore, PartId},
    path::Path,
    signer::{SignedUrlOptions, Signer},
};
use serde::Deserialize;

use super::{
    super::clean_up::{CleanUps, Undo, UndoOnDrop},
    CopyError, Job, Made, StoreChecksums,
    answer::{CopyRefusal, Failure, request, send, store_error, success},
    checksums, encoded, unless_cancelled, within,
};
use crate::{
    checksum::Crc64,
    error::CopySide,
    location::{
        Pin, attributes_from,
        cloud::{Capability, requests::Answer, s3::S3},
    },
};

/// How long a signed URL is valid: a copy of 5 GiB within one region takes minutes.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

pub(super) fn are_one_service(from: &S3, to: &S3) -> bool {
    from.endpoint == to.endpoint && from.server_side == Capability::Possible && to.server_side == Capability::Possible
}

pub(super) async fn copy(job: &Job<'_>, from: &S3, to: &S3) -> Result<Made, Failure> {
    if job.size() <= job.copier.threshold {
        let (copied, id) = put(job, from, to, None).await?;
        job.moved(job.size());
        let crc64 = copied.crc64.as_deref().and_then(Crc64::from_base64);
        let checksums = crc64.map(StoreChecksums::of_crc64).unwrap_or_default();
        return Ok(Made::new(checksums, copied.e_tag.as_deref(), id.as_deref()));
    }
    by_parts(job, from, to).await
}

/// The body of an answer to a copy.
#[derive(Debug, Deserialize)]
enum Reply {
    CopyObjectResult(CopyResult),
    CopyPartResult(CopyResult),
}

#[derive(Debug, Deserialize)]
struct CopyResult {
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    crc64: Option<String>,
}

/// S3 sends status 200 before the copy has ended: only the body tells how it ended.
fn copy_result(answer: &Answer) -> Result<CopyResult, CopyError> {
    match answer.xml() {
        Ok(Reply::CopyObjectResult(result) | Reply::CopyPartResult(result)) => Ok(result),
        Err(_) => {
            let code = answer.code();
            let kind = answer.said().kind();
            Err(store_error(kind, &code))
        }
    }
}

/// A part of an upload.
struct Part<'a> {
    upload: &'a str,
    number: usize,
    range: Range<u64>,
}

/// One PUT with `x-amz-copy-source`, which the signature covers. Returns the version id of the copy besides, in versioned buckets.
async fn put(
    job: &Job<'_>,
    from: &S3,
    to: &S3,
    part: Option<Part<'_>>,
) -> Result<(CopyResult, Option<String>), Failure> {
    let key = encoded(job.request.from.path(&job.request.source.key).as_ref());
    let version = job.source.version.as_deref().map(|id| format!("?versionId={}", encoded(id))).unwrap_or_default();
    let mut headers = vec![("x-amz-copy-source", format!("/{}/{key}{version}", from.bucket))];
    if job.request.from.pin() != Pin::Nothing {
        headers.push(("x-amz-copy-source-if-match", job.e_tag().to_owned()));
    }
    let mut options = SignedUrlOptions::default();
    if let Some(Part { upload, number, range }) = part {
        headers.push(("x-amz-copy-source-range", format!("bytes={}-{}", range.start, range.end - 1)));
        options = options.with_query([("partNumber", number.to_string()), ("uploadId", upload.to_owned())]);
    }
    for (name, value) in &headers {
        let value: HeaderValue = value.parse().map_err(|_| CopyError::Unsupported)?;
        options = options.with_signed_header(HeaderName::from_static(name), value);
    }
    let path = job.request.to.path(&job.request.target);
    let url = to.store.signed_url_opts(Method::PUT, &path, SIGNED_FOR, &options).await;
    let url = url.map_err(|error| CopyError::from_target("sign", error))?;
    let mut request = request(Method::PUT, url.as_str())?;
    request.headers_mut().extend(options.signed_headers);
    let sent = job.request.send()?;
    let answer = send(&to.http, request, job.context).await?;
    sent.end_as(answer.failure());
    let answer = success(answer)?;
    Ok((copy_result(&answer)?, answer.header("x-amz-version-id").map(ToOwned::to_owned)))
}

async fn by_parts(job: &Job<'_>, from: &S3, to: &S3) -> Result<Made, Failure> {
    let path = job.request.to.path(&job.request.target);
    let attributes = attributes_from(&job.source.attributes);
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let stall = job.context.stall_timeout;
    let cancellation = &job.context.cancellation;
    let clean_ups = &job.context.clean_ups;
    let begun = clean_ups.begin(begin(to.store.clone(), path.clone(), options, clean_ups.clone()));
    let begun = unless_cancelled(cancellation, within(CopySide::Target, stall, begun)).await??;
    let (id, upload) = begun??;

    let ranges = job.copier.parts(job.size()).into_iter().enumerate();
    let copies = ranges.map(|(index, range)| {
        let size = range.end - range.start;
        let part = Part { upload: &id, number: index + 1, range };
        async move {
            let (copied, _) = put(job, from, to, Some(part)).await?;
            job.moved(size);
            let content_id = copied.e_tag.ok_or(CopyRefusal::Object)?;
            Ok::<_, Failure>(PartId { content_id })
        }
    });
    let parts: Vec<PartId> = stream::iter(copies).buffered(job.copier.parallel).try_collect().await?;
    // An upload without parts would be completed as an empty object.
    if parts.len() != job.copier.parts(job.size()).len() {
        return Err(CopyError::Corrupt { reason: "parts of the upload are missing".to_owned() }.into());
    }
    let sent = job.request.send()?;
    let completed = within(CopySide::Target, stall.saturating_mul(10), to.store.complete_multipart(&path, &id, parts));
    let completed = unless_cancelled(cancellation, completed).await??;
    sent.end(&completed);
    let completed = completed.map_err(|error| CopyError::from_upload("complete upload", error))?;
    upload.keep();
    let checksums = checksums(job.request, job.context).await?;
    Ok(Made::new(checksums, completed.e_tag.as_deref(), completed.version.as_deref()))
}

/// An upload that was begun.
struct Multipart {
    store: AmazonS3,
    path: Path,
    id: MultipartId,
}

async fn begin(
    store: AmazonS3,
    path: Path,
    options: PutMultipartOptions,
    clean_ups: CleanUps,
) -> Result<(MultipartId, UndoOnDrop<Multipart>), CopyError> {
    let id = store.create_multipart_opts(&path, options).await;
    let id = id.map_err(|error| CopyError::from_target("begin upload", error))?;
    let upload = Multipart { store, path, id: id.clone() };
    Ok((id, UndoOnDrop::new(upload, &clean_ups)))
}

impl Undo for Multipart {
    async fn undo(self) {
        // Best effort: what is left is for `leftovers`, or for a lifecycle rule of the bucket.
        let _ = self.store.abort_multipart(&self.path, &self.id).await;
    }
}
