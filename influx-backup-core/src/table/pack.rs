//! Numbers and texts in as few bytes as they need. What is read was written by the same process.

use chrono::{DateTime, Utc};

/// Writes the columns of a row.
#[derive(Debug, Default)]
pub(crate) struct Packer(pub(super) Vec<u8>);

/// Reads them again, in the same order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unpacker<'a>(pub(super) &'a [u8]);

impl Packer {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Bytes of a length that the reader knows.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Small numbers take one byte, the largest ten.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// By how much a number differs from the one before it.
    pub(crate) fn difference(&mut self, before: &mut u64, number: u64) {
        let difference = number.wrapping_sub(*before).cast_signed();
        *before = number;
        // Small ones of either sign are small numbers.
        self.number(((difference << 1) ^ (difference >> 63)).cast_unsigned());
    }

    /// The same for several numbers.
    pub(crate) fn differences<const N: usize>(&mut self, before: &mut [u64; N], numbers: [u64; N]) {
        before.iter_mut().zip(numbers).for_each(|(before, number)| self.difference(before, number));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    /// When something was; close to the time before it, as a rule.
    pub(crate) fn time(&mut self, before: &mut u64, time: DateTime<Utc>) {
        self.difference(before, time.timestamp().cast_unsigned());
        self.number(u64::from(time.timestamp_subsec_nanos()));
    }

    /// What may be there, and how it is written.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// One of the values of an enum.
    pub(crate) fn one_of<T: PartialEq>(&mut self, all: &[T], value: &T) {
        let at = all.iter().position(|other| other == value).unwrap_or_default();
        self.number(at as u64);
    }

    /// A text that those before it mostly were, too.
    pub(crate) fn repeated(&mut self, before: &mut String, text: &str) {
        let is_same = before == text;
        self.byte(u8::from(is_same));
        if !is_same {
            self.text(text);
            text.clone_into(before);
        }
    }
}

impl<'a> Unpacker<'a> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(crate) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        bytes
    }

    /// As many bytes as an array has.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).try_into().unwrap_or([0; N])
    }

    pub(crate) fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    pub(crate) fn difference(&mut self, before: &mut u64) -> u64 {
        let folded = self.number();
        let difference = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
        *before = before.wrapping_add(difference.cast_unsigned());
        *before
    }

    pub(crate) fn differences<const N: usize>(&mut self, before: &mut [u64; N]) -> [u64; N] {
        for before in before.iter_mut() {
            self.difference(before);
        }
        *before
    }

    pub(crate) fn length(&mut self) -> usize {
        usize::try_from(self.number()).unwrap_or(usize::MAX)
    }

    pub(crate) fn text(&mut self) -> &'a str {
        let length = self.length();
        std::str::from_utf8(self.bytes(length)).unwrap_or_default()
    }

    pub(crate) fn time(&mut self, before: &mut u64) -> DateTime<Utc> {
        let seconds = self.difference(before).cast_signed();
        let nanos = u32::try_from(self.number()).unwrap_or_default();
        DateTime::from_timestamp(seconds, nanos).unwrap_or_default()
    }

    pub(crate) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() == 1).then(|| read(self))
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all.get(self.length()).copied().unwrap_or(all[0])
    }

    pub(crate) fn repeated<'b>(&mut self, before: &'b mut String) -> &'b str {
        if self.byte() == 0 {
            self.text().clone_into(before);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(numbers: Vec<u64>, texts: Vec<String>, array: [u8; 5]) {
            let mut packer = Packer::default();
            let mut before = 0;
            for number in &numbers {
                packer.number(*number);
                packer.difference(&mut before, *number);
                packer.one_of(&[false, true], &(number % 2 == 1));
            }
            packer.bytes(&array);
            let mut last = String::new();
            for text in texts.iter().flat_map(|text| [text, text]) {
                packer.text(text);
                packer.repeated(&mut last, text);
            }
            let mut unpacker = Unpacker(&packer.0);
            let mut before = 0;
            for number in &numbers {
                prop_assert_eq!(unpacker.number(), *number);
                prop_assert_eq!(unpacker.difference(&mut before), *number);
                prop_assert_eq!(unpacker.one_of(&[false, true]), number % 2 == 1);
            }
            prop_assert_eq!(unpacker.array(), array);
            let mut last = String::new();
            for text in texts.iter().flat_map(|text| [text, text]) {
                prop_assert_eq!(unpacker.text(), text);
                prop_assert_eq!(unpacker.repeated(&mut last), text);
            }
            prop_assert_eq!(unpacker.0, &[0_u8; 0][..]);
            prop_assert_eq!((unpacker.number(), unpacker.text(), unpacker.array()), (0, "", [0; 3]), "no panic");
        }
    }
}
