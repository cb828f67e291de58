//! [`SourceFile`]: a file that is copied.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

use bytes::Bytes;

use super::CopyRequest;
use crate::{
    error::{CopyError, CopySide, Refused, Why},
    location::{FILE_BLOCK, FileInfo},
};

/// The file of a request, opened in the version that is wanted.
#[derive(Debug)]
pub(super) struct SourceFile(File);

impl SourceFile {
    pub(super) fn open(request: &CopyRequest) -> Result<Self, CopyError> {
        let opened = request.from.open_file(&request.source.key);
        let file = Self(opened.map_err(|error| failed("open", error))?);
        file.check(request)?;
        Ok(file)
    }

    pub(super) fn as_file(&self) -> &File {
        &self.0
    }

    pub(super) fn read(&mut self, block: &mut [u8]) -> Result<(), CopyError> {
        read_block(&mut self.0, block)
    }

    /// Checks that it still has the version that is wanted: it may be written while it is read. (It may be deleted: what was opened
    /// is read.)
    pub(super) fn check(&self, request: &CopyRequest) -> Result<(), CopyError> {
        let found = FileInfo::from(&self.0.metadata().map_err(|error| failed("open", error))?);
        let is_told_by_content = request.is_told_by_content() && found.size == request.source.size;
        if request.from.is_open(&request.source, &found) || is_told_by_content {
            Ok(())
        } else {
            Err(CopyError::Changed)
        }
    }

    /// Reads a range of the file of a request, block by block.
    pub(super) fn range(request: &CopyRequest, range: &Range<u64>) -> Result<Vec<Bytes>, CopyError> {
        let mut file = Self::open(request)?;
        if range.start > 0 {
            file.0.seek(SeekFrom::Start(range.start)).map_err(|error| failed("read", error))?;
        }
        let blocks = range.clone().step_by(FILE_BLOCK).map(|start| {
            let mut block = vec![0; usize::try_from(range.end - start).map_or(FILE_BLOCK, |left| left.min(FILE_BLOCK))];
            file.read(&mut block)?;
            Ok(block.into())
        });
        let blocks = blocks.collect::<Result<_, CopyError>>()?;
        file.check(request)?;
        Ok(blocks)
    }
}

/// Fills a block with the bytes that follow in a source, or in a clone of it.
pub(super) fn read_block(file: &mut File, block: &mut [u8]) -> Result<(), CopyError> {
    file.read_exact(block).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => CopyError::Changed,
        _ => failed("read", error),
    })
}

fn failed(operation: &'static str, error: io::Error) -> CopyError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => CopyError::Vanished,
        _ if Refused::why(&error) == Some(Why::NotAFile) => CopyError::Changed,
        _ => CopyError::from_io(CopySide::Source, operation, error),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write, time::SystemTime};

    use super::*;
    use crate::{
        key::Key,
        location::{Location, StoreOptions},
    };

    async fn request(directory: &std::path::Path) -> CopyRequest {
        request_of(directory, b"0123456789").await
    }

    async fn request_of(directory: &std::path::Path, bytes: &[u8]) -> CopyRequest {
        fs::write(directory.join("x"), bytes).expect("written");
        let from = Location::parse(directory.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location");
        let source = from.head(&Key::parse("x").expect("a key")).await.expect("answers").expect("there");
        CopyRequest::new(from, source, Location::in_memory())
    }

    #[tokio::test]
    async fn a_file_that_is_written_while_it_is_read_has_changed() {
        let directory = tempfile::tempdir().expect("a directory");
        let request = request(directory.path()).await;
        let mut file = SourceFile::open(&request).expect("opened");
        file.read(&mut [0; 5]).expect("read");
        let path = directory.path().join("x");
        let mut writer = File::options().append(true).open(&path).expect("opened");
        writer.write_all(b"more").expect("written");
        assert!(matches!(file.check(&request), Err(CopyError::Changed)), "longer");
        writer.set_len(10).expect("cut");
        writer.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        assert!(matches!(file.check(&request), Err(CopyError::Changed)), "another time");
        assert!(matches!(SourceFile::range(&request, &(5..10)), Err(CopyError::Changed)), "the next part");
        writer.set_len(2).expect("cut");
        assert!(matches!(file.read(&mut [0; 5]), Err(CopyError::Changed)), "shorter");
    }

    #[tokio::test]
    async fn what_was_opened_is_read_though_it_is_gone() {
        let directory = tempfile::tempdir().expect("a directory");
        let request = request(directory.path()).await;
        assert_eq!(SourceFile::range(&request, &(2..6)).expect("read"), ["2345"]);
        let mut file = SourceFile::open(&request).expect("opened");
        fs::remove_file(directory.path().join("x")).expect("removed");
        let mut bytes = [0; 10];
        file.read(&mut bytes).expect("read");
        file.check(&request).expect("the same file");
        assert_eq!(&bytes, b"0123456789");
        assert!(matches!(SourceFile::open(&request), Err(CopyError::Vanished)));
    }

    #[tokio::test]
    async fn a_large_range_is_read_in_blocks() {
        let directory = tempfile::tempdir().expect("a directory");
        let bytes: Vec<u8> = (0..2 * FILE_BLOCK + 9).map(|number| (number % 251) as u8).collect();
        let request = request_of(directory.path(), &bytes).await;
        let read = |range: Range<u64>| SourceFile::range(&request, &range).expect("read");
        let lengths = |blocks: &[Bytes]| blocks.iter().map(Bytes::len).collect::<Vec<_>>();
        let all = read(0..bytes.len() as u64);
        assert_eq!(lengths(&all), [FILE_BLOCK, FILE_BLOCK, 9]);
        assert_eq!(all.concat(), bytes);
        let part = read(5..5 + FILE_BLOCK as u64);
        assert_eq!(lengths(&part), [FILE_BLOCK]);
        assert_eq!(part.concat(), bytes[5..5 + FILE_BLOCK]);
        assert!(read(3..3).is_empty());
    }
}
