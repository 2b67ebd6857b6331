use super::*;

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The rows below a page, as the format says.
fn rows(file: &[u8], page: u64, found: &mut Vec<(u64, Vec<u8>, Vec<u8>)>) {
    let base = page as usize * PAGE_BYTES;
    assert_eq!(number(file, base, 8), page);
    for at in 0..number(file, base + 10, 2) as usize {
        let element = base + PAGE_HEAD_BYTES + ELEMENT_BYTES * at;
        let word = |place: usize| number(file, element + 4 * place, 4) as usize;
        match number(file, base + 8, 2) as u16 {
            LEAF => {
                let key = element + word(1);
                let value = key + word(2);
                found.push((word(0) as u64, file[key..value].to_vec(), file[value..value + word(3)].to_vec()));
            }
            BRANCH => {
                let before = found.len();
                rows(file, number(file, element + 8, 8), found);
                let key = element + word(0);
                assert_eq!(found[before].1, file[key..key + word(1)]);
            }
            other => panic!("page {page} has flags {other}"),
        }
    }
}

fn write(tables: &mut impl Tables, count: u32) {
    tables.table("empty");
    tables.table("large");
    for number in 0..count {
        // Some take pages of their own.
        let size = if number % 97 == 0 { 9000 } else { number as usize % 300 };
        tables.row(&number.to_be_bytes(), &vec![number as u8; size]);
    }
    tables.table("small");
    tables.row(b"a", b"1");
}

#[test]
fn a_file_holds_its_tables() {
    for count in [0, 1, 10, 20_000] {
        let mut layout = Layout::default();
        write(&mut layout, count);
        let plan = layout.finish();
        let mut file = File::new(plan, Vec::new());
        write(&mut file, count);
        let file = file.finish();
        assert_eq!(file.len() as u64, plan.bytes());
        let mut tables = Vec::new();
        rows(&file, plan.root, &mut tables);
        let names: Vec<_> = tables.iter().map(|(flags, name, _)| (*flags, name.as_slice())).collect();
        assert_eq!(names, [(1, &b"empty"[..]), (1, b"large"), (1, b"small")]);
        let mut large = Vec::new();
        rows(&file, number(&tables[1].2, 0, 8), &mut large);
        assert_eq!(large.len(), count as usize);
        assert!(large.iter().enumerate().all(|(at, (_, key, _))| *key == (at as u32).to_be_bytes()));
    }
}
