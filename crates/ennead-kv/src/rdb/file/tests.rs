use super::*;

const LIMITS: Limits = Limits { whole_bytes_max: 1 << 10, piece_bytes: 64 };

/// A file of redis-server 2.4, one with a hash as zipmap.
const ZIPMAP: &[u8] = b"REDIS0003\xfe\x00\t\x04hash\x10\x02\x02f1\x02\x00v1\x02f2\x02\x00v2\xff\xff";
/// A file of a redis-server before 7.0.
const ZIPLIST: &[u8] = b"REDIS0010\xfa\tredis-ver\x0b255.255.255\xfa\nredis-bits\xc0@\xfa\x05ctime\xc2b\xb7\x13a\xfa\x08used-mem\xc2P\xf4\x0c\x00\xfa\x0caof-preamble\xc0\x00\xfe\x00\xfb\x01\x00\x0c\x04zset\x19\x19\x00\x00\x00\x16\x00\x00\x00\x04\x00\x00\x03one\x05\xf2\x02\x03two\x05\xf3\xff\xff\x1f\xb2\xfd\xf0\x99\x7f\x9e\x19";

fn parts(mut bytes: &[u8]) -> Result<Vec<Part>, Error> {
    let mut reader = Reader::new(&mut bytes, LIMITS)?;
    let mut parts = Vec::new();
    while let Some(part) = reader.next()? {
        parts.push(part);
    }
    Ok(parts)
}

/// A file with a body, sealed.
fn file(body: &[u8]) -> Vec<u8> {
    let mut bytes = [b"REDIS0012", body, b"\xff"].concat();
    bytes.extend_from_slice(&crate::rdb::crc64(&bytes).to_le_bytes());
    bytes
}

fn keys(bytes: &[u8]) -> Vec<Key> {
    let key = |part| if let Part::Key(key) = part { Some(key) } else { None };
    parts(bytes).unwrap().into_iter().filter_map(key).collect()
}

fn restored(value: &Value) -> crate::rdb::Restored {
    let Value::Payload(payload) = value else { panic!("{value:?}") };
    crate::rdb::restore(payload, 1 << 20).unwrap()
}

#[test]
fn files_of_redis_are_read() {
    let pair = |a: &str, b: &str| (a.as_bytes().to_vec(), b.as_bytes().to_vec());
    let hash = Collection::Hash(vec![pair("f1", "v1"), pair("f2", "v2")]);
    let found = keys(ZIPMAP);
    assert_eq!((found.len(), found[0].db, found[0].kind), (1, 0, "hash"));
    assert_eq!(restored(&found[0].value), crate::rdb::Restored::Collection(hash));
    let zset = Collection::Zset(vec![(b"one".to_vec(), 1.0), (b"two".to_vec(), 2.0)]);
    assert_eq!(restored(&keys(ZIPLIST)[0].value), crate::rdb::Restored::Collection(zset));
    let note = Part::Note { name: b"redis-bits".to_vec(), value: b"64".to_vec() };
    assert_eq!(parts(ZIPLIST).unwrap()[1], note);
}

#[test]
fn what_stands_before_a_key_belongs_to_it() {
    let bytes = file(
        b"\xfe\x03\xfb\x02\x01\xf5\x04code\xfc\x00\x10\x00\x00\x00\x00\x00\x00\x00\x01a\x01x\
          \xfd\x02\x00\x00\x00\xf8\x05\xf9\x07\x00\x01b\xc0\x07",
    );
    let parts = parts(&bytes).unwrap();
    assert_eq!(parts[..2], [Part::Size { keys: 2 }, Part::Library(b"code".to_vec())]);
    let keys = keys(&bytes);
    assert_eq!((keys[0].db, keys[0].deadline, keys[0].idle_seconds), (3, Some(4096), None));
    assert_eq!((keys[1].deadline, keys[1].idle_seconds, keys[1].frequency), (Some(2000), Some(5), Some(7)));
    assert_eq!(restored(&keys[1].value), crate::rdb::Restored::String(b"7".to_vec()));
}

#[test]
fn large_values_come_in_pieces() {
    let mut body = b"\x00\x01s\x50\x00".to_vec();
    body.extend_from_slice(&[b'x'; 4096]);
    body.extend_from_slice(b"\x02\x01m\x43\xe8");
    for number in 0..1000 {
        crate::rdb::write_string(&mut body, format!("member {number}").as_bytes());
    }
    let (mut string, mut members, mut ends) = (Vec::new(), Vec::new(), 0);
    for part in parts(&file(&body)).unwrap() {
        match part {
            Part::Key(key) => assert_eq!(key.value, Value::Pieces),
            Part::Piece(Piece::Bytes(bytes)) => string.extend(bytes),
            Part::Piece(Piece::Members(Collection::Set(more))) => members.extend(more),
            Part::PiecesEnd => ends += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((string.len(), members.len(), ends), (4096, 1000, 2));
    assert_eq!(members[999], b"member 999");
}

#[test]
fn fields_with_deadlines_come_with_them() {
    let body = b"\x18\x01h\xe8\x03\x00\x00\x00\x00\x00\x00\x03\x00\x01a\x011\x01\x01b\x012\x06\x01c\x013\
                 \x19\x01l\xe8\x03\x00\x00\x00\x00\x00\x00\x15\x15\x00\x00\x00\x06\x00\x81a\x02\x01\x01\x00\x01\x81b\x02\x02\x01\x05\x01\xff";
    let found: Vec<Part> = parts(&file(body)).unwrap();
    let one = |field: &str, value: &str, deadline| (field.as_bytes().to_vec(), value.as_bytes().to_vec(), deadline);
    let pieces: Vec<_> = found.iter().filter(|part| matches!(part, Part::Piece(_))).collect();
    let first = Piece::Deadlines(vec![one("a", "1", 0), one("b", "2", 1000), one("c", "3", 1005)]);
    let second = Piece::Deadlines(vec![one("a", "1", 0), one("b", "2", 5)]);
    assert_eq!(pieces, [&Part::Piece(first), &Part::Piece(second)]);
}

#[test]
fn what_cannot_be_kept_is_told() {
    // A module's value and data, a set and a list without members.
    let body =
        b"\x07\x01m\x81\x00\x00\x00\x00\x00\x00\x04\x01\x02\x05\x05\x01x\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\
                 \xf7\x81\x00\x00\x00\x00\x00\x00\x04\x01\x02\x01\x00\
                 \x02\x01e\x00\x12\x01f\x01\x02\x07\x07\x00\x00\x00\x00\x00\xff";
    let bytes = file(body);
    let values: Vec<Value> = keys(&bytes).into_iter().map(|key| key.value).collect();
    assert_eq!(values, [Value::Foreign("module type AAAAAAAAB".into()), Value::Empty, Value::Empty]);
    assert!(parts(&bytes).unwrap().iter().any(|part| matches!(part, Part::Foreign(_))));
}

#[test]
fn streams_are_taken_as_they_are() {
    // One of redis-server 7.0: XADD s 1-1 f v, XGROUP CREATE s g 0, XREADGROUP GROUP g c STREAMS s >.
    let listpack = b"\x1d\x1d\x00\x00\x00\x0a\x00\x01\x01\x00\x01\x01\x01\x81f\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01\xff";
    let mut value = b"\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01".to_vec();
    value.extend_from_slice(listpack);
    value.extend_from_slice(b"\x01\x01\x01\x01\x01\x00\x00\x01\x01\x01g\x01\x01\x01\x01");
    value.extend_from_slice(&[7; 24]);
    value.extend_from_slice(b"\x01\x01\x01c");
    value.extend_from_slice(&[8; 8]);
    value.push(1);
    value.extend_from_slice(&[7; 16]);
    let bytes = file(&[&b"\x13\x01s"[..], &value, b"\x00\x01a\x01x"].concat());
    let found = keys(&bytes);
    assert_eq!((found.len(), found[0].kind, &found[1].name[..]), (2, "stream", &b"a"[..]));
    let Value::Payload(payload) = &found[0].value else { panic!("{:?}", found[0].value) };
    assert_eq!(payload[..payload.len() - 10], [&b"\x13"[..], &value].concat());
}

#[test]
fn what_is_not_sound_is_refused() {
    for cut in 0..ZIPLIST.len() {
        assert!(parts(&ZIPLIST[..cut]).is_err(), "{cut}");
    }
    let mut changed = ZIPLIST.to_vec();
    changed[12] ^= 1;
    assert!(matches!(parts(&changed), Err(Error::Checksum)));
    assert!(matches!(parts(b"REDIS0013\xff"), Err(Error::Version(13))));
    assert!(matches!(parts(b"<html>...."), Err(Error::Foreign)));
    assert!(matches!(parts(&file(b"\x63\x01a\x01x")), Err(Error::Damaged { .. })));
    // A length that is not there takes no memory.
    assert!(matches!(parts(&file(b"\x00\x01a\x81\x7f\xff\xff\xff\xff\xff\xff\xff")), Err(Error::Short)));
}

#[test]
fn no_damage_to_a_file_makes_the_reader_panic() {
    arbtest::arbtest(|u| {
        let mut bytes = u.choose(&[ZIPMAP, ZIPLIST])?.to_vec();
        for _ in 0..u.int_in_range(1..=6)? {
            let at = u.choose_index(bytes.len())?;
            bytes[at] = u.arbitrary()?;
        }
        let _ = parts(&bytes);
        let _ = parts(&file(&u.arbitrary::<Vec<u8>>()?));
        Ok(())
    });
}

#[test]
fn what_is_written_is_read() {
    let mut writer = Writer::new(Vec::new(), &[("redis-ver", "7.2.0")]).unwrap();
    writer.database(5, 1, 1).unwrap();
    writer.key(0, b"key", 77).unwrap();
    writer.string(b"value").unwrap();
    let (bytes, written) = writer.finish().unwrap();
    assert_eq!(bytes.len() as u64, written);
    let key = &keys(&bytes)[0];
    assert_eq!((key.db, &key.name[..], key.deadline), (5, &b"key"[..], Some(77)));
}
