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
use tokio::runtime::Handle;

use super::{
    CopyError, Job, StoreChecksums,
    answer::{Answer, Said, request, send},
    checksums, encoded, unless_cancelled, within,
};
use crate::{
    checksum::Crc64,
    location::{
        attributes_from,
        cloud::{ServerSide, s3::S3},
    },
};

/// How long a signed URL is good for: a copy of 5 GiB within one region takes minutes.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

pub(super) fn are_one_service(from: &S3, to: &S3) -> bool {
    from.endpoint == to.endpoint && from.server_side == ServerSide::Possible && to.server_side == ServerSide::Possible
}

pub(super) async fn copy(job: &Job<'_>, from: &S3, to: &S3) -> Result<StoreChecksums, Said> {
    if job.size() <= job.copier.threshold {
        let answer = put(job, from, to, None).await?.with("CopyObjectResult")?;
        job.moved(job.size());
        return Ok(crc64(&answer).map(StoreChecksums::of_crc64).unwrap_or_default());
    }
    by_parts(job, from, to).await
}

fn crc64(answer: &Answer) -> Option<Crc64> {
    answer.element("ChecksumCRC64NVME").as_deref().and_then(Crc64::from_base64)
}

/// A part of an upload.
struct Part<'a> {
    upload: &'a str,
    number: usize,
    range: Range<u64>,
}

/// One PUT with `x-amz-copy-source`, signed so that the service cannot be asked for another one.
async fn put(job: &Job<'_>, from: &S3, to: &S3, part: Option<Part<'_>>) -> Result<Answer, Said> {
    let key = encoded(job.request.from.path(&job.request.source.key).as_ref());
    let version = job.source.version.as_deref().map(|id| format!("?versionId={}", encoded(id))).unwrap_or_default();
    let mut headers = vec![
        ("x-amz-copy-source", format!("/{}/{key}{version}", from.bucket)),
        ("x-amz-copy-source-if-match", job.e_tag().to_owned()),
    ];
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
    send(&to.http, request, job.context).await?.success()
}

async fn by_parts(job: &Job<'_>, from: &S3, to: &S3) -> Result<StoreChecksums, Said> {
    let path = job.request.to.path(&job.request.target);
    let attributes = attributes_from(&job.source.attributes);
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let (stall, cancellation) = (job.context.stall_timeout, &job.context.cancellation);
    // It goes on when nobody waits for it any more: only who has its name can abort it.
    let begun = tokio::spawn(Upload::begin(to.store.clone(), path.clone(), options));
    let begun = unless_cancelled(cancellation, within(stall, begun)).await??;
    let upload = begun.map_err(|_| CopyError::Cancelled)??;
    let id = upload.id.clone().unwrap_or_default();

    let ranges = job.copier.parts(job.size()).into_iter().enumerate();
    let copies = ranges.map(|(index, range)| {
        let (size, part) = (range.end - range.start, Part { upload: &id, number: index + 1, range });
        async move {
            let answer = put(job, from, to, Some(part)).await?.with("CopyPartResult")?;
            job.moved(size);
            let content_id = answer.element("ETag").ok_or(Said::NotThis)?;
            Ok::<_, Said>(PartId { content_id })
        }
    });
    let parts: Vec<PartId> = stream::iter(copies).buffered(job.copier.parallel).try_collect().await?;
    // An upload without parts would be completed as an empty object.
    if parts.len() != job.copier.parts(job.size()).len() {
        return Err(CopyError::Corrupt { reason: "parts of the upload are missing".to_owned() }.into());
    }
    let completed = within(stall.saturating_mul(10), to.store.complete_multipart(&path, &id, parts));
    let completed = unless_cancelled(cancellation, completed).await??;
    completed.map_err(|error| CopyError::from_target("complete upload", error))?;
    upload.forget();
    Ok(checksums(&job.request.to, job.request).await?)
}

/// An upload that is aborted when it is dropped before it is complete.
struct Upload {
    store: AmazonS3,
    path: Path,
    id: Option<MultipartId>,
}

impl Upload {
    async fn begin(store: AmazonS3, path: Path, options: PutMultipartOptions) -> Result<Self, CopyError> {
        let id = store.create_multipart_opts(&path, options).await;
        let id = Some(id.map_err(|error| CopyError::from_target("begin upload", error))?);
        Ok(Self { store, path, id })
    }

    fn forget(mut self) {
        self.id = None;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), Handle::try_current()) {
            let (store, path) = (self.store.clone(), self.path.clone());
            // There is nobody to tell: what is left behind is for the bucket's lifecycle rule.
            runtime.spawn(async move { drop(store.abort_multipart(&path, &id).await) });
        }
    }
}
