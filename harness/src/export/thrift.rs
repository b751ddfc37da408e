//! Thrift's compact protocol, as far as Parquet's metadata needs it: structures of integers, texts, lists and structures.
//!
//! A field is a byte of its distance from the field before and its type, then its value; integers are zigzag varints, and a
//! zero byte ends a structure. Source: the Apache Thrift specification, `thrift-compact-protocol.md`.

use super::varint;

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure under construction; fields come in increasing order.
#[derive(Default)]
pub(super) struct Structure {
    bytes: Vec<u8>,
    last: u8,
}

impl Structure {
    pub(super) fn i32(mut self, field: u8, value: i32) -> Self {
        self.field(field, I32);
        integer(value.into(), &mut self.bytes);
        self
    }

    pub(super) fn i64(mut self, field: u8, value: i64) -> Self {
        self.field(field, I64);
        integer(value, &mut self.bytes);
        self
    }

    pub(super) fn text(mut self, field: u8, value: &str) -> Self {
        self.field(field, BINARY);
        text(value, &mut self.bytes);
        self
    }

    pub(super) fn structure(mut self, field: u8, value: Self) -> Self {
        self.field(field, STRUCT);
        self.bytes.extend(value.end());
        self
    }

    pub(super) fn integers(mut self, field: u8, values: &[i32]) -> Self {
        self.list(field, I32, values.len());
        values.iter().for_each(|value| integer((*value).into(), &mut self.bytes));
        self
    }

    pub(super) fn texts(mut self, field: u8, values: &[&str]) -> Self {
        self.list(field, BINARY, values.len());
        values.iter().for_each(|value| text(value, &mut self.bytes));
        self
    }

    pub(super) fn structures(mut self, field: u8, values: Vec<Self>) -> Self {
        self.list(field, STRUCT, values.len());
        values.into_iter().for_each(|value| self.bytes.extend(value.end()));
        self
    }

    /// The bytes of the whole structure.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }

    fn field(&mut self, field: u8, kind: u8) {
        self.bytes.push((field - self.last) << 4 | kind);
        self.last = field;
    }

    fn list(&mut self, field: u8, kind: u8, length: usize) {
        self.field(field, LIST);
        if length < 15 {
            self.bytes.push((length as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            varint(length as u64, &mut self.bytes);
        }
    }
}

fn integer(value: i64, bytes: &mut Vec<u8>) {
    varint((value << 1 ^ value >> 63) as u64, bytes);
}

fn text(value: &str, bytes: &mut Vec<u8>) {
    varint(value.len() as u64, bytes);
    bytes.extend(value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes written out by hand from the specification.
    #[test]
    fn structures_are_as_the_specification_says() {
        let inner = Structure::default().i64(2, -65);
        let outer = Structure::default().i32(1, 150).text(4, "ab").integers(5, &[1, -1]).structure(9, inner);
        let expected = [
            0x15, 0xac, 0x02, // field 1, i32: zigzag 300
            0x38, 0x02, b'a', b'b', // field 4, binary of 2
            0x19, 0x25, 0x02, 0x01, // field 5, list of 2 i32
            0x4c, 0x26, 0x81, 0x01, 0x00, // field 9: field 2, i64: zigzag 129
            0x00,
        ];
        assert_eq!(outer.end(), expected);
        let long = Structure::default().structures(1, (0..16).map(|_| Structure::default()).collect()).end();
        assert_eq!(long, [&[0x19, 0xfc, 0x10][..], &[0; 17]].concat());
    }
}
