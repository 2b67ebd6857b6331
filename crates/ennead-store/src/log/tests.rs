use std::path::Path;
use std::sync::Arc;

use super::reader::SegmentReader;
use super::record::{self, Fault};
use super::segment::{HEADER_BYTES, OpenSegment, SegmentHeader};
use super::shelf::Shelf;
use crate::disk::simulated::SimulatedDisk;
use crate::disk::{Disk, DiskFile};
use crate::{Table, WriteBatch};

const SALT: u32 = 77;

fn sample(value: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(Table(1), b"key", value);
    batch.delete(Table(2), b"gone");
    batch.delete_range(Table(1), b"a", Some(b"b"));
    batch.tally(Table(1), -3);
    batch.set_event(b"event");
    batch
}

#[test]
fn a_record_comes_back_whole() {
    let batch = sample(b"value");
    let mut bytes = Vec::new();
    record::encode(&mut bytes, SALT, 9, Some(1234), None, &batch);
    let record = record::decode(&bytes, SALT).unwrap();
    assert_eq!((record.sequence, record.bytes), (9, bytes.len()));
    assert_eq!((record.header.time_ms, record.header.durable), (Some(1234), None));
    assert_eq!(record.header.event, b"event");
    assert_eq!(record.header.tallies, [(1, -3)]);
    assert_eq!(record.row_bytes(), batch.encoded());
    assert_eq!(record.rows().count(), 3);
    assert_eq!(record::decode(&bytes, SALT + 1).unwrap_err(), Fault::Checksum);
    for length in 0..bytes.len() {
        assert!(record::decode(&bytes[..length], SALT).is_err(), "{length}");
    }
    for at in 0..bytes.len() {
        bytes[at] ^= 0x10;
        assert!(record::decode(&bytes, SALT).is_err(), "byte {at}");
        bytes[at] ^= 0x10;
    }
}

/// The body of the fuzz target for the log decoder: any bytes at all, as a record and as a segment.
pub(crate) fn decode_anything(bytes: &[u8]) {
    if let Ok(length) = record::frame(bytes, SALT) {
        assert!(length <= bytes.len());
    }
    if let Ok(record) = record::parse(bytes) {
        let rows: usize = record.rows().count();
        assert_eq!(rows, record.header.rows as usize);
        // What is decoded is a part of what was given: nothing is made of an announced length.
        assert!(record.header.event.len() + record.header.tallies.len() <= bytes.len());
    }
    let disk = SimulatedDisk::default();
    let path = Path::new("/log/00000000000000000001.seg");
    let header = SegmentHeader { salt: SALT, first: 1, durable: 0, time_ms: 0 };
    let file = disk.create(path).unwrap();
    file.write_at(0, &header.encode()).unwrap();
    file.write_at(HEADER_BYTES as u64, bytes).unwrap();
    let mut reader = SegmentReader::open(&disk, path).unwrap().unwrap();
    let mut last = 0;
    while let Ok(record) = reader.next().unwrap() {
        assert_eq!(record.sequence, last + 1);
        last = record.sequence;
    }
    let mut from = HEADER_BYTES as u64;
    while let Some(found) = reader.next_valid_after(from, 0).unwrap() {
        assert!(found.offset >= from && found.bytes > 0);
        from = found.offset + found.bytes as u64;
    }
}

#[test]
fn arbitrary_bytes_never_panic_the_decoder() {
    arbtest::arbtest(|u| {
        let mut bytes: Vec<u8> = u.arbitrary()?;
        // Half of the cases begin as real records, so that the deeper parts are reached.
        if u.arbitrary()? {
            let (noise, value) = (std::mem::take(&mut bytes), u.arbitrary::<Vec<u8>>()?);
            for sequence in 1..=u.int_in_range(1..=3)? {
                record::encode(&mut bytes, SALT, sequence, None, Some(sequence), &sample(&value));
            }
            for _ in 0..u.int_in_range(0..=4)? {
                let at = u.choose_index(bytes.len())?;
                bytes[at] = u.arbitrary()?;
            }
            bytes.truncate(u.int_in_range(0..=bytes.len())?);
            bytes.extend(noise);
        }
        decode_anything(&bytes);
        Ok(())
    })
    .budget_ms(3_000);
}

fn segment(records: &[&[u8]]) -> (SimulatedDisk, Arc<dyn DiskFile>, u64) {
    let disk = SimulatedDisk::default();
    let file = disk.create(Path::new("/s")).unwrap();
    let header = SegmentHeader { salt: SALT, first: 1, durable: 0, time_ms: 0 };
    let mut bytes = header.encode().to_vec();
    for (index, value) in records.iter().enumerate() {
        record::encode(&mut bytes, SALT, index as u64 + 1, None, None, &sample(value));
    }
    file.write_at(0, &bytes).unwrap();
    (disk, file, bytes.len() as u64)
}

#[test]
fn a_reader_follows_a_segment_that_is_still_written() {
    let (disk, file, end) = segment(&[b"1"]);
    file.set_len(end + 4096).unwrap();
    let mut reader = SegmentReader::open(&disk, Path::new("/s")).unwrap().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().sequence, 1);
    assert_eq!(reader.next().unwrap().unwrap_err().fault, Fault::Nothing);
    let mut bytes = Vec::new();
    record::encode(&mut bytes, SALT, 2, None, None, &sample(b"2"));
    file.write_at(end, &bytes).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().sequence, 2);
}

#[test]
fn a_record_larger_than_the_window_is_read() {
    let large = vec![b'x'; 700 << 10];
    let (disk, ..) = segment(&[b"1", &large, b"3"]);
    let mut reader = SegmentReader::open(&disk, Path::new("/s")).unwrap().unwrap();
    let mut sequences = Vec::new();
    while let Ok(record) = reader.next().unwrap() {
        sequences.push((record.sequence, record.bytes));
    }
    assert_eq!(sequences.len(), 3);
    assert!(sequences[1].1 > 700 << 10);
}

#[test]
fn what_lies_behind_a_hole_is_found_wherever_it_begins() {
    let large = vec![b'x'; 300 << 10];
    let (disk, file, _) = segment(&[b"1", &large, b"3"]);
    // The length of the second record is gone, so nothing says where the third begins.
    let mut reader = SegmentReader::open(&disk, Path::new("/s")).unwrap().unwrap();
    reader.next().unwrap().unwrap();
    file.write_at(reader.offset(), &[0; 4096]).unwrap();
    let end = reader.next().unwrap().unwrap_err();
    let found = reader.next_valid_after(end.offset, 2).unwrap().unwrap();
    assert_eq!(found.sequence, 3);
    assert_eq!(reader.next_valid_after(found.offset + 1, 2).unwrap(), None);
}

#[test]
fn no_append_writes_a_part_of_a_block_that_was_not_written_before() {
    const LIMIT: u64 = 64 << 10;
    let disk = SimulatedDisk::default();
    let file = disk.create(Path::new("/log/recycled.seg")).unwrap();
    file.write_at(0, &[0xee; LIMIT as usize]).unwrap();
    let header = SegmentHeader { salt: SALT, first: 1, durable: 0, time_ms: 0 };
    let mut segment = OpenSegment::begin(file.clone(), &header, LIMIT).unwrap();
    let mut expected = header.encode().to_vec();
    for (number, length) in [1, 100, 4096, 4031, 1, 9000, 8192, 3].into_iter().enumerate() {
        let bytes = vec![number as u8 + 1; length];
        segment.append(&bytes, LIMIT).unwrap();
        expected.extend(bytes);
        let mut found = vec![0; expected.len().next_multiple_of(4096)];
        file.read_at(0, &mut found).unwrap();
        assert_eq!(found[..expected.len()], expected);
        // What the file held before is gone up to the end of the block: it was written whole.
        assert!(found[expected.len()..].iter().all(|byte| *byte == 0), "after {number}");
    }
    segment.append(&vec![9; (LIMIT - segment.offset) as usize - 5000], LIMIT).unwrap();
    segment.append(&[9; 6000], LIMIT).unwrap();
    assert_eq!(file.len().unwrap(), LIMIT + 1000, "nothing is padded behind the limit");
}

#[test]
fn a_spare_is_not_used_again_for_the_segment_it_was() {
    let disk = SimulatedDisk::default();
    let left = Path::new("/log/spare-000002.seg");
    // A power cut forgot that it had become segment 44, but not what was written to it.
    let header = SegmentHeader { salt: SALT, first: 44, durable: 43, time_ms: 0 };
    OpenSegment::begin(disk.create(left).unwrap(), &header, 4096).unwrap();
    let shelf = Shelf::new(Arc::new(disk.clone()), Path::new("/log"), 4096, vec![left.to_owned()]);
    assert!(shelf.take(44).is_none());
    let (path, _) = shelf.take(45).unwrap();
    assert_eq!(path, left);
    assert!(shelf.take(46).is_none());
}
