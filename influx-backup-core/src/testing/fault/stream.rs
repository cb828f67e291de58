//! Bodies and listings that do not keep their promise.

use std::sync::Arc;

use bytes::Bytes;
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{ObjectMeta, ObjectStore, Result, path::Path};
use tokio::time::sleep;

use super::{
    FaultyStore,
    plan::{Failure, Op},
    state::Verdict,
};

/// The bytes that are left of `length`: never all of them, unless there are none.
pub(super) fn cut_at(length: u64, fraction: f64) -> u64 {
    ((length as f64 * fraction.clamp(0.0, 1.0)) as u64).min(length.saturating_sub(1))
}

/// `body`, slow or cut as the verdict says.
pub(super) fn body(
    body: BoxStream<'static, Result<Bytes>>,
    path: Path,
    length: u64,
    verdict: Verdict,
) -> BoxStream<'static, Result<Bytes>> {
    let body = match verdict.slow_body {
        Some((chunk, pause)) => body
            .map_ok(move |bytes| stream::iter(chunks(bytes, chunk)).map(Ok))
            .try_flatten()
            .and_then(move |bytes| async move {
                sleep(pause).await;
                Ok(bytes)
            })
            .boxed(),
        None => body,
    };
    let Some(cut) = verdict.cut else { return body };
    let end = match cut.error(&path) {
        Ok(()) => None,
        Err(error) => Some(Err(error)),
    };
    let left = cut_at(length, cut.fraction);
    body.scan(left, |left, chunk| {
        let chunk = chunk.map(|bytes| {
            let taken = (*left).min(bytes.len() as u64);
            *left -= taken;
            bytes.slice(..taken as usize)
        });
        let done = chunk.as_ref().is_ok_and(Bytes::is_empty);
        async move { (!done).then_some(chunk) }
    })
    .chain(stream::iter(end))
    .boxed()
}

fn chunks(mut bytes: Bytes, size: usize) -> Vec<Bytes> {
    let mut chunks = Vec::with_capacity(bytes.len().div_ceil(size));
    while !bytes.is_empty() {
        chunks.push(bytes.split_to(size.min(bytes.len())));
    }
    chunks
}

/// A listing of `prefix` after `offset`, decided about when it is first asked for a key.
pub(super) fn list(
    store: FaultyStore,
    prefix: Option<Path>,
    offset: Option<Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let path = prefix.clone().unwrap_or_default();
    let state = Arc::clone(&store.state);
    let begun = async move {
        let gate = match store.begin(Op::List, &path, 0).await {
            Ok(gate) => gate,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let verdict = gate.verdict.clone();
        let keys = match verdict.slow_list {
            Some(_) => paged(store, prefix, offset, verdict.clone()),
            // The inner listing is taken here, before the late answer.
            None => match &offset {
                Some(offset) => store.inner.list_with_offset(prefix.as_ref(), offset),
                None => store.inner.list(prefix.as_ref()),
            },
        };
        match gate.end(Ok(())).await {
            Ok(()) => spoilt(keys, path, &verdict).map_ok(move |meta| state.dated(meta)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    };
    stream::once(begun).flatten().boxed()
}

/// Reads a page of keys, pauses, reads the next page after the last key of that one.
fn paged(
    store: FaultyStore,
    prefix: Option<Path>,
    offset: Option<Path>,
    verdict: Verdict,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let (page, pause) = verdict.slow_list.unwrap_or_default();
    let next = move |cursor: Option<(usize, Option<Path>)>| {
        let store = store.clone();
        let prefix = prefix.clone();
        async move {
            let Some((number, after)) = cursor else { return Ok::<_, object_store::Error>(None) };
            if number > 0 {
                sleep(pause).await;
                // The first page is the listing itself; the others are requests of their own.
                store.begin(Op::List, &prefix.clone().unwrap_or_default(), 0).await?.end(Ok(())).await?;
            }
            let listing = match &after {
                Some(after) => store.inner.list_with_offset(prefix.as_ref(), after),
                None => store.inner.list(prefix.as_ref()),
            };
            let mut keys: Vec<ObjectMeta> = listing.try_collect().await?;
            keys.sort_by(|a, b| a.location.cmp(&b.location));
            let more = keys.len() > page;
            keys.truncate(page);
            let cursor = match keys.last() {
                Some(last) if more => Some((number + 1, Some(last.location.clone()))),
                _ => None,
            };
            Ok(Some((stream::iter(keys).map(Ok), cursor)))
        }
    };
    stream::try_unfold(Some((0, offset)), next).try_flatten().boxed()
}

fn spoilt(
    keys: BoxStream<'static, Result<ObjectMeta>>,
    path: Path,
    verdict: &Verdict,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let keys = match verdict.repeat {
        Some(page) => keys
            .try_chunks(page)
            .map_err(|error| error.1)
            .map_ok(|keys| stream::iter(keys.clone().into_iter().chain(keys)).map(Ok))
            .try_flatten()
            .boxed(),
        None => keys,
    };
    match verdict.break_list {
        Some(after) => keys.take(after).chain(stream::iter([Err(Failure::Unreachable.error(&path))])).boxed(),
        None => keys,
    }
}
