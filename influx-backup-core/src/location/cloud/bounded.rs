//! How long an answer may be. Some are read whole before anything is looked at, so each has a limit: what was asked for where it is
//! an object, and far more than any store sends elsewhere.

use std::error::Error;

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, RANGE, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody};

use super::{issued, requests::MadeOnce};
use crate::{error::Misbehavior, location::RequestKind, units::ByteSize};

/// A page of a listing. Azure sends 5000 names of up to 1024 characters, of which each may take twelve bytes.
const PAGE: u64 = 64 << 20;

/// What a service of credentials answers: tokens of some kilobytes.
const CREDENTIAL: u64 = 1 << 20;

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// An object, or a part of it as the header names it.
    Object {
        range: Option<HeaderValue>,
    },
    Credential,
    Other,
}

impl Asked {
    pub(super) fn by(request: &HttpRequest, kind: RequestKind) -> Self {
        let is_own = request.extensions().get::<MadeOnce>().is_some();
        if issued::is_asked() {
            Self::Credential
        } else if request.method() == Method::GET && kind != RequestKind::List && !is_own {
            Self::Object { range: request.headers().get(RANGE).cloned() }
        } else {
            Self::Other
        }
    }

    /// The same answer, whose body ends with an error where it is longer than may be.
    pub(super) fn bounded(&self, response: HttpResponse) -> Result<HttpResponse, Misbehavior> {
        let (status, headers) = (response.status(), response.headers());
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let encoding = encoding(headers);
        let most = match (self, announced) {
            // Which of the two counts, readers decide differently.
            (Self::Object { .. }, Some(_)) if headers.contains_key(TRANSFER_ENCODING) => {
                return Err(Misbehavior::TwoLengths);
            }
            (Self::Object { range }, Some(announced)) => {
                check_range(range.as_ref(), status, headers, announced)?;
                announced
            }
            // What lies encoded in a store has a length. It is as it lies there.
            _ if encoding.is_some() => return Err(Misbehavior::Encoded { encoding: encoding.unwrap_or_default() }),
            (Self::Credential, _) => CREDENTIAL,
            _ => PAGE,
        };
        let is_object = matches!(self, Self::Object { .. });
        let too_long = move || match is_object {
            true => Misbehavior::TooMany { asked: most },
            false => Misbehavior::TooLong { most: ByteSize(most) },
        };
        Ok(response.map(|body| limited(body, most, too_long)))
    }
}

/// The error of a request, which names headers that were too long to be read.
pub(super) fn named(error: HttpError) -> HttpError {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    if causes.any(|cause| cause.to_string() == "message head is too large") {
        return HttpError::new(HttpErrorKind::Unknown, Misbehavior::Headers);
    }
    error
}

/// A body that ends with an error after so many bytes.
fn limited(
    body: HttpResponseBody,
    most: u64,
    too_long: impl Fn() -> Misbehavior + Send + Sync + 'static,
) -> HttpResponseBody {
    let limited = Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX));
    HttpResponseBody::new(limited.map_err(move |error| match error.downcast::<HttpError>() {
        Ok(error) => *error,
        Err(error) if error.is::<LengthLimitError>() => HttpError::new(HttpErrorKind::Unknown, too_long()),
        Err(error) => HttpError::new_boxed(HttpErrorKind::Unknown, error),
    }))
}

/// Refuses what is not the part of an object that was asked for: all of it where no part was.
fn check_range(
    asked: Option<&HeaderValue>,
    status: StatusCode,
    headers: &HeaderMap,
    announced: u64,
) -> Result<(), Misbehavior> {
    let is_part = status == StatusCode::PARTIAL_CONTENT;
    // Some stores ignore ranges: that is said, and no reason not to read what can be read whole.
    if is_part && asked.is_none() {
        return Err(Misbehavior::OtherRange);
    }
    let sent = headers.get(CONTENT_RANGE).and_then(|range| ends(range.to_str().ok()?.split('/').next()?, "bytes "));
    let Some((start, end)) = sent.filter(|_| is_part) else { return Ok(()) };
    let asked = asked.and_then(|range| ends(range.to_str().ok()?, "bytes="));
    if asked.is_some_and(|(first, last)| start != first || end > last) {
        return Err(Misbehavior::OtherRange);
    }
    let asked = (end - start).saturating_add(1);
    if announced == asked { Ok(()) } else { Err(Misbehavior::OtherLength { announced, asked }) }
}

/// The first and the last byte of a range, as headers have it.
fn ends(range: &str, unit: &str) -> Option<(u64, u64)> {
    let (first, last) = range.trim().strip_prefix(unit)?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?)).filter(|(first, last)| first <= last)
}

fn encoding(headers: &HeaderMap) -> Option<String> {
    let encoding = String::from_utf8_lossy(headers.get(CONTENT_ENCODING)?.as_bytes()).into_owned();
    let is_plain = encoding.split(',').all(|one| matches!(one.trim(), "" | "identity" | "aws-chunked"));
    (!is_plain).then_some(encoding)
}
