use super::{Corrupted, Form, HEADER, REGISTERS, Registers, Sketch, View, dense, hash, sparse};

const SPARSE_MAX: usize = 3000;

fn sketch_of(elements: std::ops::Range<u64>, sparse_max: usize) -> Sketch {
    let mut sketch = Sketch::new();
    for element in elements {
        sketch.add(&element.to_le_bytes(), sparse_max).unwrap();
    }
    sketch
}

fn values(sketch: &Sketch) -> Vec<u8> {
    let mut registers = Registers::new();
    sketch.view().merge_into(&mut registers).unwrap();
    registers.iter().collect()
}

#[test]
fn elements_go_to_the_registers_of_redis() {
    // As PFDEBUG DECODE of redis-server tells after PFADD.
    for (element, register) in
        [("a", (12_711, 2)), ("abcdefgh", (1_383, 1)), ("abcdefghijk", (14_121, 1)), ("", (5_938, 2))]
    {
        assert_eq!(hash::register(element.as_bytes()), register, "{element}");
    }
}

#[test]
fn the_error_is_that_of_the_method() {
    let standard_error = 1.04 / (REGISTERS as f64).sqrt();
    assert!((standard_error - 0.0081).abs() < 0.0001);
    for elements in [100, 1_000, 10_000, 100_000] {
        let runs = 60;
        let mut squares = 0.0;
        for run in 0..runs {
            let first = (run + 1) << 40;
            let estimate = sketch_of(first..first + elements, SPARSE_MAX).view().estimate().unwrap();
            squares += (estimate as f64 / elements as f64 - 1.0).powi(2);
        }
        let error = (squares / runs as f64).sqrt();
        assert!(error < standard_error * 1.35, "{error} of {elements}");
    }
}

#[test]
fn nothing_and_everything_are_estimated() {
    assert_eq!(Sketch::new().view().estimate(), Ok(0));
    let mut full = Sketch::new();
    full.make_dense().unwrap();
    for index in 0..REGISTERS {
        full.raise(index, 63, SPARSE_MAX).unwrap();
    }
    // As Redis, which converts an infinite number.
    assert_eq!(full.view().estimate(), Ok(i64::MIN as u64));
}

#[test]
fn sparse_and_dense_agree_until_the_sparse_form_is_too_long() {
    let mut sparse = Sketch::new();
    let mut dense = Sketch::new();
    dense.make_dense().unwrap();
    let mut promoted_at = None;
    for number in 0..5_000_u64 {
        let element = number.to_string();
        let changed = dense.add(element.as_bytes(), SPARSE_MAX);
        assert_eq!(sparse.add(element.as_bytes(), SPARSE_MAX), changed, "{number}");
        if sparse.view().form() == Form::Dense {
            promoted_at.get_or_insert(number);
        } else {
            assert!(sparse.bytes().len() <= SPARSE_MAX);
        }
        if number % 97 == 0 {
            assert_eq!(values(&sparse), values(&dense), "{number}");
            assert_eq!(sparse.view().estimate(), dense.view().estimate(), "{number}");
        }
    }
    let promoted_at = promoted_at.expect("5,000 elements are too many for the sparse form");
    assert!((1_000..3_000).contains(&promoted_at), "{promoted_at}");
    assert_eq!(sparse.bytes(), dense.bytes());
}

#[test]
fn a_value_above_32_has_no_sparse_form() {
    let mut sketch = Sketch::new();
    assert_eq!(sketch.raise(7, 32, SPARSE_MAX), Ok(true));
    assert_eq!(sketch.view().form(), Form::Sparse);
    assert_eq!(sketch.raise(7, 33, SPARSE_MAX), Ok(true));
    assert_eq!(sketch.view().form(), Form::Dense);
    assert_eq!(dense::get(&sketch.bytes()[HEADER..], 7), 33);
    assert_eq!(sketch.raise(7, 33, SPARSE_MAX), Ok(false));
}

#[test]
fn runs_are_split_and_joined() {
    let mut sketch = Sketch::new();
    assert_eq!(sketch.view().decode(), "Z:16384");
    for (index, value, expected) in [
        (100, 3, "Z:100 v:3,1 Z:16283"),
        (102, 3, "Z:100 v:3,1 z:1 v:3,1 Z:16281"),
        (101, 3, "Z:100 v:3,3 Z:16281"),
        (103, 3, "Z:100 v:3,4 Z:16280"),
        (104, 3, "Z:100 v:3,4 v:3,1 Z:16279"),
        (102, 5, "Z:100 v:3,2 v:5,1 v:3,2 Z:16279"),
        (0, 1, "v:1,1 Z:99 v:3,2 v:5,1 v:3,2 Z:16279"),
        (16383, 32, "v:1,1 Z:99 v:3,2 v:5,1 v:3,2 Z:16278 v:32,1"),
        (40, 2, "v:1,1 z:39 v:2,1 z:59 v:3,2 v:5,1 v:3,2 Z:16278 v:32,1"),
    ] {
        assert_eq!(sketch.raise(index, value, SPARSE_MAX), Ok(true));
        assert_eq!(sketch.view().decode(), expected);
        assert_eq!(sketch.raise(index, value, SPARSE_MAX), Ok(false));
    }
}

#[test]
fn merging_is_the_union() {
    let (few, many) = (sketch_of(0..50, SPARSE_MAX), sketch_of(20..40_000, SPARSE_MAX));
    let mut registers = Registers::new();
    few.view().merge_into(&mut registers).unwrap();
    many.view().merge_into(&mut registers).unwrap();
    assert_eq!(registers.iter().collect::<Vec<_>>(), values(&sketch_of(0..40_000, SPARSE_MAX)));
    assert_eq!(registers.estimate(), sketch_of(0..40_000, 0).view().estimate().unwrap());
}

#[test]
fn what_is_no_sketch_is_not_read() {
    let sketch = Sketch::new();
    assert!(View::parse(sketch.bytes()).is_some());
    assert!(View::parse(&sketch.bytes()[..HEADER - 1]).is_none());
    assert!(View::parse(b"HYLX\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff").is_none());
    assert!(View::parse(b"HYLL\x02\0\0\0\0\0\0\0\0\0\0\0\x7f\xff").is_none());
    assert!(View::parse(b"HYLL\x00\0\0\0\0\0\0\0\0\0\0\0\x7f\xff").is_none(), "dense has one length");
}

#[test]
fn runs_that_do_not_add_up_are_corrupted() {
    for runs in [&b"\x7f\xfe"[..], b"\x7f\xff\x00", b"", b"\x7f\xff\x80", b"\x7f", b"\x3f\x3f"] {
        let bytes = [&Sketch::new().bytes()[..HEADER], runs].concat();
        let view = View::parse(&bytes).unwrap();
        assert_eq!(view.estimate(), Err(Corrupted), "{runs:?}");
        assert_eq!(view.merge_into(&mut Registers::new()), Err(Corrupted), "{runs:?}");
        assert_eq!(Sketch::copy(view).make_dense(), Err(Corrupted), "{runs:?}");
    }
    let mut short = [&Sketch::new().bytes()[..HEADER], b"\x40\x40"].concat();
    assert_eq!(sparse::raise(&mut short, HEADER, 300, 1, SPARSE_MAX), Err(Corrupted));
}

#[test]
fn any_bytes_behind_the_header_are_survived() {
    let mut state = 1;
    for _ in 0..2_000 {
        let len = crate::place::next_random(&mut state) as usize % 40;
        let mut bytes = Sketch::new().bytes()[..HEADER].to_vec();
        bytes.extend((0..len).map(|_| crate::place::next_random(&mut state) as u8));
        let view = View::parse(&bytes).unwrap();
        let _ = (view.estimate(), view.decode(), view.merge_into(&mut Registers::new()));
        let mut sketch = Sketch::copy(view);
        for _ in 0..20 {
            let random = crate::place::next_random(&mut state);
            let _ = sketch.raise(random as usize % REGISTERS, (random >> 32) as u8 % 34 + 1, SPARSE_MAX);
        }
    }
}
